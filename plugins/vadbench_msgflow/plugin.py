"""What this plug-in offers: the parts of MSG-Flow, and alternatives in each slot from the simplest to the strongest."""

from __future__ import annotations

from vadbench.api import Registry, hookimpl

_HERE = "vadbench_msgflow"

VADBENCH_API = 1


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
    registry.tokenizer(
        "fsq",
        f"{_HERE}.fsq:FSQ",
        config=f"{_HERE}.fsq:FSQConfig",
        summary="finite scalar quantisation: a few rounded numbers, no codebook",
    )
    registry.tokenizer(
        "residual-vq",
        f"{_HERE}.residual_vq:ResidualVQ",
        config=f"{_HERE}.residual_vq:ResidualVQConfig",
        summary="VQ-VAE with small codebooks in a row, each for what the last left over",
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
    registry.prior(
        "lstm",
        f"{_HERE}.lstm:LSTMPrior",
        config=f"{_HERE}.lstm:LSTMConfig",
        summary="recurrent network with track history",
    )
    registry.prior("uniform", f"{_HERE}.uniform:UniformPrior", summary="every code equally likely: what a prior has to beat")
    registry.flow(
        "stgcn-coupling",
        f"{_HERE}.flow:STGCNCouplingFlow",
        config=f"{_HERE}.flow:STGCNCouplingConfig",
        summary="ST-GCN coupling flow, conditioned on code vectors (MSG-Flow); STG-NF without a condition",
    )
    registry.flow(
        "zuko-nsf",
        f"{_HERE}.nsf:ZukoNSF",
        config=f"{_HERE}.nsf:ZukoNSFConfig",
        summary="neural spline flow on principal components (needs zuko)",
    )
    registry.flow(
        "gaussian",
        f"{_HERE}.gaussian:GaussianFlow",
        config=f"{_HERE}.gaussian:GaussianConfig",
        summary="full-covariance Gaussian, its mean linear in the code vectors",
    )
    registry.scorer(
        "standardised",
        f"{_HERE}.scorer:Standardised",
        config=f"{_HERE}.scorer:StandardisedConfig",
        summary="weighted sum of terms standardised by training statistics (MSG-Flow)",
    )
    registry.scorer("max", f"{_HERE}.scorer:Maximum", summary="largest standardised term")
    registry.scorer("nats", f"{_HERE}.scorer:Nats", summary="sum of the terms in nats: the joint negative log-likelihood")
    registry.scorer("semantic", f"{_HERE}.scorer:SemanticAlone", summary="the semantic term alone")
    registry.scorer("detail", f"{_HERE}.scorer:DetailAlone", summary="the detail term alone")
    registry.scorer(
        "learned-on-validation",
        f"{_HERE}.validated_scorer:LearnedOnValidation",
        config=f"{_HERE}.validated_scorer:LearnedOnValidationConfig",
        summary="weights of standardised terms chosen on a labelled validation split",
    )
