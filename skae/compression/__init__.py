"""Compression: rows as bytes, by the codes of a fitted transformer."""

from skae.compression._codec import Codec, CodecDecoder, CodecEncoder

__all__ = ["Codec", "CodecDecoder", "CodecEncoder"]
