"""The container: arrays and a tree of plain values as one file of safetensors.

Known to inference without PyTorch, so that numpy and safetensors are all it needs.
"""

import hashlib
import json
import os
import secrets
import stat
from contextlib import suppress
from errno import EINVAL, ENOENT
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import safetensors

from skae.exceptions import InvalidFileError

FORMAT = 3
# The header's text begins with the digest of everything else, at a fixed place.
_BEGIN = b'{"__metadata__":{"skae":"{\\"sha256\\":\\"'
_DIGEST_AT = 8 + len(_BEGIN)
_DIGEST_LENGTH = 64
_NO_DIGEST = "0" * _DIGEST_LENGTH
_DTYPES = {
    "BOOL": np.bool_,
    "U8": np.uint8,
    "I8": np.int8,
    "U16": np.uint16,
    "I16": np.int16,
    "F16": np.float16,
    "U32": np.uint32,
    "I32": np.int32,
    "F32": np.float32,
    "U64": np.uint64,
    "I64": np.int64,
    "F64": np.float64,
}
_NAMES = {np.dtype(dtype): name for name, dtype in _DTYPES.items()}
# Functions of content and arrays of each earlier format, which return them in the next.
# Format 2 has tables and rows with missing cells, format 3 refined codes and detectors
# that tell rare scores apart; what was there before is as it was.
_UPGRADES: dict = dict.fromkeys((1, 2), lambda content, arrays: (content, arrays))


class File(NamedTuple):
    """What is in a file: a tree of plain values, arrays, and who wrote them."""

    content: Any
    arrays: dict[str, np.ndarray]
    versions: dict[str, str]


def dumps(content, arrays, versions):
    """A file's bytes.

    Parameters
    ----------
    content : JSON value
        Names arrays where they belong.
    arrays : dict of str to ndarray
        In any order of memory.
    versions : dict of str to str
        Of the libraries, for people to read.

    Returns
    -------
    data : bytes
    """
    text = json.dumps(
        {
            "sha256": _NO_DIGEST,
            "format": FORMAT,
            "versions": versions,
            "content": content,
        },
        separators=(",", ":"),
        allow_nan=False,
    )
    arrays = {name: _plain(array) for name, array in arrays.items()}
    header: dict = {"__metadata__": {"skae": text}}
    end = 0
    # The widest cells first, so that all begin at multiples of their size.
    for name in sorted(arrays, key=lambda name: -arrays[name].itemsize):
        array, begin = arrays[name], end
        end += array.nbytes
        header[name] = {
            "dtype": _NAMES[array.dtype],
            "shape": array.shape,
            "data_offsets": [begin, end],
        }
    encoded = json.dumps(header, separators=(",", ":")).encode()
    encoded += b" " * (-len(encoded) % 8)
    parts = [arrays[name].tobytes() for name in header if name in arrays]
    return sealed(b"".join([len(encoded).to_bytes(8, "little"), encoded, *parts]))


def _plain(array):
    """The array in the processor's order of bytes and C's order of cells."""
    return np.asarray(array, array.dtype.newbyteorder("="), order="C")


def sealed(data):
    """The bytes of a file with the digest that they should have."""
    digest = _digest(data).encode()
    return data[:_DIGEST_AT] + digest + data[_DIGEST_AT + _DIGEST_LENGTH :]


def loads(data):
    """What is in the bytes of a file.

    Parameters
    ----------
    data : bytes

    Returns
    -------
    file : File
        As the current format has it. Arrays are new, and may be written to.

    Raises
    ------
    InvalidFileError
        If these are no bytes of :func:`dumps`, or of a format yet unknown.
    """
    _check_seal(data)
    header = _parsed(data[8 : 8 + int.from_bytes(data[:8], "little")])
    try:
        tensors = safetensors.deserialize(data)
    except safetensors.SafetensorError as error:
        raise InvalidFileError(f"The file's arrays are damaged: {error}.") from error
    file = _parsed(header["__metadata__"]["skae"])
    written = file.get("format")
    if type(written) is not int or not 1 <= written <= FORMAT:
        raise InvalidFileError(
            f"The file has format {written!r}, but this version of skae knows those "
            f"up to {FORMAT}: update skae."
        )
    content, versions = file.get("content"), file.get("versions")
    if content is None or not isinstance(versions, dict):
        raise InvalidFileError("The file has no content.")
    arrays = {name: _array(tensor) for name, tensor in tensors}
    for earlier in range(written, FORMAT):
        content, arrays = _UPGRADES[earlier](content, arrays)
    return File(content, arrays, versions)


def write(file, data):
    """Write bytes to a path, at once, or to an open binary file.

    Parameters
    ----------
    file : str, PathLike or binary file
    data : bytes
    """
    if hasattr(file, "write"):
        file.write(data)
    else:
        write_atomically(file, data)


def read(file):
    """What is in a file: see :func:`loads`.

    Parameters
    ----------
    file : str, PathLike or binary file
    """
    if hasattr(file, "read"):
        data = file.read()
        if not isinstance(data, bytes | bytearray | memoryview):
            raise TypeError(
                f"The file returned {type(data).__name__}, but bytes were expected: "
                "open it with mode 'rb'."
            )
        return loads(bytes(data))
    path = Path(file)
    if path.exists() and not path.is_file():  # a pipe would block
        raise InvalidFileError(f"{os.fspath(file)!r} is not a regular file.")
    data = path.read_bytes()
    try:
        return loads(data)
    except InvalidFileError as error:
        raise InvalidFileError(f"{os.fspath(file)!r}: {error}") from error


def write_atomically(path, data):
    """Write bytes to a file, so that it is the old one or the new one at any time.

    Parameters
    ----------
    path : str or PathLike
    data : bytes

    Raises
    ------
    OSError
        If the folder does not exist or cannot be written to, or the disk is full. A
        file that was there is as it was.
    """
    path = Path(os.path.realpath(path))
    if not path.parent.is_dir():
        raise FileNotFoundError(ENOENT, "There is no such folder", str(path.parent))
    if path.exists() and not path.is_file():
        raise OSError(EINVAL, "Not a file, which could be replaced", str(path))
    # In the same folder, and thus on the same disk, where renaming is one step.
    temporary = path.with_name(f".{path.name[:40]}.{secrets.token_hex(8)}.tmp")
    try:
        # Whatever interrupts this, the file has a name by which it is removed.
        with temporary.open("xb") as opened:
            if path.exists():
                os.chmod(temporary, stat.S_IMODE(path.stat().st_mode))
            opened.write(data)
            opened.flush()
            os.fsync(opened.fileno())
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    _sync_folder(path.parent)


def _sync_folder(folder):
    """Make a renaming last beyond a power failure, where systems can."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    # Some file systems refuse it; the file is written by now.
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _check_seal(data):
    if len(data) < _DIGEST_AT + _DIGEST_LENGTH or data[8:_DIGEST_AT] != _BEGIN:
        raise InvalidFileError(
            f"A file that `save` has written was expected, but this is {_kind(data)}."
        )
    digest = data[_DIGEST_AT : _DIGEST_AT + _DIGEST_LENGTH]
    if digest != _digest(data).encode():
        raise InvalidFileError(
            "The file is damaged or was cut off: its checksum is not that of its "
            "bytes. Copy it or save it again."
        )


def _kind(data):
    """What else bytes are, in words."""
    if not data:
        return "empty: is a stream at its end, where seek(0) is missing?"
    if data[:2] in (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"):
        return (
            "a pickle, which is never loaded here: where you trust it, load it with "
            "pickle or joblib, and use `save`"
        )
    if data[:4] == b"PK\x03\x04":
        return "an archive, as skops (skops.io.load) and PyTorch (torch.load) write"
    if data[:4] == b"skc\x01":
        return "what a Codec has encoded: use its decode"
    return "something else"


def _digest(data):
    """SHA-256 of a file's bytes with zeros in the place of the digest."""
    view = memoryview(data)
    digest = hashlib.sha256(view[:_DIGEST_AT])
    digest.update(_NO_DIGEST.encode())
    digest.update(view[_DIGEST_AT + _DIGEST_LENGTH :])
    return digest.hexdigest()


def _parsed(text):
    """A JSON object; nothing that JSON leaves open."""
    try:
        value = json.loads(
            text, object_pairs_hook=_without_duplicates, parse_constant=_refused
        )
    except (ValueError, RecursionError) as error:
        raise InvalidFileError(f"The file's header is no JSON: {error}.") from error
    if not isinstance(value, dict):
        raise InvalidFileError("The file's header is no object.")
    return value


def _without_duplicates(pairs):
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _refused(constant):
    raise ValueError(f"{constant} is no number of JSON")


def _array(tensor):
    dtype = _DTYPES.get(tensor["dtype"])
    if dtype is None:
        raise InvalidFileError(
            f"The file has an array of {tensor['dtype']}, but {', '.join(_DTYPES)} "
            "were expected."
        )
    try:
        return np.frombuffer(tensor["data"], dtype).reshape(tensor["shape"])
    except (ValueError, OverflowError) as error:
        raise InvalidFileError(f"An array has no possible shape: {error}.") from error
