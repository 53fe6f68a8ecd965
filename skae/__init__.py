"""Autoencoders as scikit-learn transformers, trained by PyTorch through skorch."""

import importlib
from typing import TYPE_CHECKING

from skae._version import __version__ as __version__

if TYPE_CHECKING:
    from skae import code_maps as code_maps
    from skae import compression as compression
    from skae import corruptions as corruptions
    from skae import detection as detection
    from skae import exceptions as exceptions
    from skae import inference as inference
    from skae import losses as losses
    from skae import networks as networks
    from skae import penalties as penalties
    from skae._estimators.autoencoder import AutoencoderTransformer
    from skae._estimators.contractive import ContractiveAutoencoderTransformer
    from skae._estimators.denoising import DenoisingAutoencoderTransformer
    from skae._estimators.sparse import SparseAutoencoderTransformer
    from skae._estimators.variational import VariationalAutoencoderTransformer
    from skae._load import load as load
    from skae._onnx.export import to_onnx as to_onnx
    from skae.compression import Codec as Codec
    from skae.detection import AutoencoderOutlierDetector
    from skae.exceptions import InvalidFileError as InvalidFileError

# Tests and documentation discover estimators here, which are what has `fit`.
__all__ = [
    "AutoencoderOutlierDetector",
    "AutoencoderTransformer",
    "Codec",
    "ContractiveAutoencoderTransformer",
    "DenoisingAutoencoderTransformer",
    "InvalidFileError",
    "SparseAutoencoderTransformer",
    "VariationalAutoencoderTransformer",
    "load",
    "to_onnx",
]
# Where public names are, which are imported when they are first asked for: inference
# without PyTorch must not wait for it.
_MODULES = {
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
_SUBMODULES = (
    "code_maps",
    "compression",
    "corruptions",
    "detection",
    "exceptions",
    "inference",
    "losses",
    "networks",
    "penalties",
)


def __getattr__(name):
    if name in _SUBMODULES:
        return importlib.import_module(f"skae.{name}")
    if name not in _MODULES:
        raise AttributeError(f"module 'skae' has no attribute {name!r}")
    value = getattr(importlib.import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted({*globals(), *_MODULES, *_SUBMODULES})
