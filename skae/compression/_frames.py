"""The bytes of compressed rows: a header, and frames with checksums.

``skc`` and a byte with the version, the pairing id (8 bytes), twice the number of rows
plus 1 where they were float32, the length of each frame but the last, and the frames.
A frame has its bytes and a CRC-32 (4 bytes), which continues that of the header.
Numbers are in LEB128: 7 bits to a byte, the lowest first.
"""

import zlib
from dataclasses import dataclass

from skae.exceptions import InvalidFileError

_MAGIC = b"skc\x01"
_ID_BYTES, _CHECKSUM_BYTES = 8, 4
# Rows in a frame: what is lost at once, and what the lengths of rows can claim.
FRAME_ROWS = 1024
_MOST_DIGITS = 9  # of a number: 63 bits


@dataclass(frozen=True)
class Contents:
    """What bytes hold.

    Attributes
    ----------
    n_rows : int
    is_single : bool
        Whether rows were of single precision.
    frames : list of bytes or None
        Of `FRAME_ROWS` rows each, but for the last; None for one that is damaged.
    """

    n_rows: int
    is_single: bool
    frames: list

    def rows_of(self, i):
        """The rows of a frame, as a slice."""
        start = i * FRAME_ROWS
        return slice(start, min(start + FRAME_ROWS, self.n_rows))


def write(frames, n_rows, is_single, pairing_id):
    """Bytes of frames.

    Parameters
    ----------
    frames : list of bytes
    n_rows : int
    is_single : bool
    pairing_id : str

    Returns
    -------
    data : bytes
    """
    lengths = [_digits(len(frame)) for frame in frames[:-1]]
    count = _digits(2 * n_rows + is_single)
    header = b"".join([_MAGIC, bytes.fromhex(pairing_id), count, *lengths])
    above = zlib.crc32(header)
    checked = (frame + _checksum(frame, i, above) for i, frame in enumerate(frames))
    return header + b"".join(checked)


def read(data, pairing_id):
    """The contents of bytes.

    Parameters
    ----------
    data : bytes
    pairing_id : str

    Returns
    -------
    contents : Contents
        With at least one frame that is not damaged.

    Raises
    ------
    InvalidFileError
        If the bytes are something else, of another encoder, or if nothing in them can
        be relied on.
    """
    expected, start = bytes.fromhex(pairing_id), len(_MAGIC) + _ID_BYTES
    if data[: len(_MAGIC)] != _MAGIC:
        raise InvalidFileError(
            f"The bytes begin with {data[: len(_MAGIC)]!r}, but {_MAGIC!r} was "
            "expected: they are no rows that a Codec has encoded, or of another "
            "version of skae."
        )
    if data[len(_MAGIC) : start] != expected:
        raise InvalidFileError(
            f"The bytes were encoded by {data[len(_MAGIC) : start].hex()!r}, but this "
            f"is the decoder of {pairing_id!r}: use the one of the same Codec."
        )
    count, start = _number(data, start)
    n_frames = -(-(count >> 1) // FRAME_ROWS)
    lengths = []
    for _ in range(n_frames - 1):
        length, start = _number(data, start)  # raises at the end of the data
        lengths.append(length + _CHECKSUM_BYTES)
    above, end = zlib.crc32(data[:start]), start + sum(lengths)
    frames = []
    for i, length in enumerate([*lengths, max(0, len(data) - end)][:n_frames]):
        frames.append(_intact(data[start : start + length], i, above))
        start += length
    if all(frame is None for frame in frames):
        raise InvalidFileError(
            "None of the bytes are as they were encoded: they are truncated or "
            "damaged, and no rows can be read from them."
        )
    return Contents(count >> 1, bool(count & 1), frames)


def _intact(part, i, above):
    """The frame in a part of the bytes, or None if its checksum is another one."""
    frame, checksum = part[:-_CHECKSUM_BYTES], part[-_CHECKSUM_BYTES:]
    return frame if checksum == _checksum(frame, i, above) else None


def _checksum(frame, i, above):
    """CRC-32 of a frame, its number and the header, of which `above` is that."""
    value = zlib.crc32(frame, zlib.crc32(_digits(i), above))
    return value.to_bytes(_CHECKSUM_BYTES, "little")


def _digits(number):
    digits = []
    while number >= 128:
        digits.append(number % 128 + 128)
        number //= 128
    return bytes([*digits, number])


def _number(data, start):
    """The number that starts in the data, and where it ends."""
    number = 0
    for i, digit in enumerate(data[start : start + _MOST_DIGITS]):
        number += (digit & 127) << (7 * i)
        if digit < 128:
            return number, start + i + 1
    raise InvalidFileError("The bytes are truncated or damaged in their header.")
