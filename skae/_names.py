"""The public names of the package, and the modules that they are in."""

from importlib import import_module

MODULES = {
    "AutoencoderImputer": "skae._estimators.imputer",
    "AutoencoderOutlierDetector": "skae.detection",
    "AutoencoderTransformer": "skae._estimators.autoencoder",
    "Codec": "skae.compression",
    "ContractiveAutoencoderTransformer": "skae._estimators.contractive",
    "DenoisingAutoencoderTransformer": "skae._estimators.denoising",
    "InvalidFileError": "skae.exceptions",
    "SparseAutoencoderTransformer": "skae._estimators.sparse",
    "VariationalAutoencoderTransformer": "skae._estimators.variational",
    "load": "skae._load",
    "to_onnx": "skae._onnx.export",
}
SUBMODULES = (
    "checkpoints",
    "code_maps",
    "compression",
    "corruptions",
    "detection",
    "exceptions",
    "inference",
    "losses",
    "networks",
    "penalties",
    "plotting",
    "reports",
)


def imported(module):
    """A module of the package.

    Raises
    ------
    ImportError
        If a package that it needs is not installed, as where inference alone is used.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise ImportError(
            f"{module} needs {error.name}, which is not installed: install skae with "
            "all that it depends on. Only skae.inference does without."
        ) from error
