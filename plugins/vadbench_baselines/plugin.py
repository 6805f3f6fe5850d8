"""What this plug-in offers."""

from __future__ import annotations

from vadbench.api import Registry, hookimpl

VADBENCH_API = 1


@hookimpl
def vadbench_register(registry: Registry) -> None:
    """Registers the components."""
    registry.detector(
        "acceleration",
        "vadbench_baselines.motion:Acceleration",
        config="vadbench_baselines.motion:MotionConfig",
        summary="how fast joints change their velocity; learns nothing",
    )
    registry.detector(
        "bone-length",
        "vadbench_baselines.bone_length:BoneLength",
        config="vadbench_baselines.bone_length:BoneLengthConfig",
        summary="how far the proportions of bones depart from the training medians",
    )
    registry.detector(
        "coskad",
        "vadbench_baselines.coskad:Coskad",
        config="vadbench_baselines.coskad:CoskadConfig",
        summary="distance from the centre of a Euclidean, spherical or hyperbolic latent space (COSKAD)",
    )
    registry.detector(
        "dsm",
        "vadbench_baselines.dsm:DSM",
        config="vadbench_baselines.dsm:DSMConfig",
        summary="norms of the score at ten noise scales (denoising score matching, STEP and MULDE)",
    )
    registry.detector(
        "gepc",
        "vadbench_baselines.gepc:Gepc",
        config="vadbench_baselines.gepc:GepcConfig",
        summary="density of soft assignments to clusters of a graph autoencoder (GEPC)",
    )
    registry.detector(
        "gmm",
        "vadbench_baselines.gmm:GMM",
        config="vadbench_baselines.gmm:GMMConfig",
        summary="density of a Gaussian mixture after PCA (scikit-learn)",
    )
    registry.detector(
        "isolation-forest",
        "vadbench_baselines.isolation_forest:Forest",
        config="vadbench_baselines.isolation_forest:IsolationForestConfig",
        summary="how few random cuts single a window out, after PCA (scikit-learn)",
    )
    registry.detector(
        "knn",
        "vadbench_baselines.knn:KNN",
        config="vadbench_baselines.knn:KNNConfig",
        summary="distance to the nearest training windows (scikit-learn)",
    )
    registry.detector(
        "last-frame",
        "vadbench_baselines.last_frame:LastFrame",
        config="vadbench_baselines.last_frame:LastFrameConfig",
        summary="error of the prediction that nothing moves; learns nothing",
    )
    registry.detector(
        "linear-ar",
        "vadbench_baselines.linear_ar:LinearAR",
        config="vadbench_baselines.linear_ar:LinearARConfig",
        summary="error of the last frames predicted by ridge regression (scikit-learn)",
    )
    registry.detector(
        "mocodad",
        "vadbench_baselines.mocodad:MoCoDAD",
        config="vadbench_baselines.mocodad:MoCoDADConfig",
        summary="best of several diffusions of the motion to come, given past motion (MoCoDAD)",
    )
    registry.detector(
        "ocsvm",
        "vadbench_baselines.ocsvm:OneClass",
        config="vadbench_baselines.ocsvm:OneClassSVMConfig",
        summary="one-class support vector machine after PCA (scikit-learn)",
    )
    registry.detector(
        "pca",
        "vadbench_baselines.pca:PCAError",
        config="vadbench_baselines.pca:PCAConfig",
        summary="reconstruction error of principal components (scikit-learn)",
    )
    registry.detector(
        "pyod",
        "vadbench_baselines.pyod_adapter:PyOD",
        config="vadbench_baselines.pyod_adapter:PyODConfig",
        summary="any detector of PyOD after PCA, e.g. pyod:ECOD; needs vadbench[pyod]",
        requires=("pyod",),
        variant="model",
    )
    registry.detector(
        "random",
        "vadbench_baselines.random_score:RandomScore",
        summary="a random number for each window: chance level",
    )
    registry.detector(
        "seeker",
        "vadbench_baselines.seeker:SeeKer",
        config="vadbench_baselines.seeker:SeeKerConfig",
        summary="keypoint after keypoint a Gaussian given all before it (SeeKer)",
    )
    registry.detector(
        "speed",
        "vadbench_baselines.motion:Speed",
        config="vadbench_baselines.motion:MotionConfig",
        summary="how fast joints move; learns nothing",
    )
    registry.detector(
        "trajrec",
        "vadbench_baselines.trajrec:TrajREC",
        config="vadbench_baselines.trajrec:TrajRECConfig",
        summary="reconstruction of the past, the present or the future of a trajectory (TrajREC)",
    )
