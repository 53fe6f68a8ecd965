"""Networks: what is trained, and what it is made of; knows no rows, loss or PCA."""

from skae.networks._autoencoder import Autoencoder
from skae.networks._convolutional import Convolutional
from skae.networks._encoder_decoder import EncoderDecoder
from skae.networks._layers import LinearPath
from skae.networks._mlp import MLP

__all__ = ["MLP", "Autoencoder", "Convolutional", "EncoderDecoder", "LinearPath"]
