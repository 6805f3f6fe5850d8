"""What this plug-in offers: the parts of MSG-Flow and the simplest alternative in each slot."""

from __future__ import annotations

from vadbench.api import Registry, hookimpl

_HERE = "vadbench_msgflow"


@hookimpl
def vadbench_register(registry: Registry) -> None:
    """Registers the components."""
    registry.tokenizer(
        "vq-vae",
        f"{_HERE}.tokenizer:VQVAE",
        config=f"{_HERE}.tokenizer:VQVAEConfig",
        summary="convolutional VQ-VAE with a moving-average codebook (MSG-Flow)",
    )
    registry.tokenizer(
        "kmeans",
        f"{_HERE}.kmeans:KMeansTokenizer",
        config=f"{_HERE}.kmeans:KMeansConfig",
        summary="k-means on PCA of short stretches",
    )
    registry.prior(
        "transformer",
        f"{_HERE}.prior:TransformerPrior",
        config=f"{_HERE}.prior:TransformerConfig",
        summary="causal Transformer with track history (MSG-Flow)",
    )
    registry.prior(
        "ngram",
        f"{_HERE}.ngram:NGramPrior",
        config=f"{_HERE}.ngram:NGramConfig",
        summary="interpolated n-gram counts",
    )
    registry.flow(
        "stgcn-coupling",
        f"{_HERE}.flow:STGCNCouplingFlow",
        config=f"{_HERE}.flow:STGCNCouplingConfig",
        summary="ST-GCN coupling flow, conditioned on code vectors (MSG-Flow); STG-NF without a condition",
    )
    registry.scorer(
        "standardised",
        f"{_HERE}.scorer:Standardised",
        config=f"{_HERE}.scorer:StandardisedConfig",
        summary="weighted sum of terms standardised by training statistics (MSG-Flow)",
    )
    registry.scorer("max", f"{_HERE}.scorer:Maximum", summary="largest standardised term")
    registry.scorer("nats", f"{_HERE}.scorer:Nats", summary="sum of the terms in nats: the joint negative log-likelihood")
