"""The container: arrays and a tree of plain values as one file of safetensors.

Known to inference without PyTorch, so that numpy and safetensors are all it needs.
"""

import hashlib
import json
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

import numpy as np
import safetensors
import safetensors.numpy

from skae.exceptions import InvalidFileError

FORMAT = 1
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
    data = safetensors.numpy.save(arrays, metadata={"skae": text})
    return sealed(data)


def _plain(array):
    """The array in the processor's order of bytes and C's order of cells."""
    return np.asarray(array, array.dtype.newbyteorder("="), order="C")


def sealed(data):
    """The bytes of a file with the digest that they should have."""
    if data[8:_DIGEST_AT] != _BEGIN:
        raise RuntimeError("safetensors wrote its header in another order.")
    digest = _digest(data).encode()
    return data[:_DIGEST_AT] + digest + data[_DIGEST_AT + _DIGEST_LENGTH :]


def loads(data):
    """What is in the bytes of a file.

    Parameters
    ----------
    data : bytes

    Returns
    -------
    content : JSON value
    arrays : dict of str to ndarray
        New ones, which may be written to.

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
    if file.get("format") != FORMAT:
        raise InvalidFileError(
            f"The file has format {file.get('format')!r}, but this version of skae "
            f"knows format {FORMAT}: update skae."
        )
    if "content" not in file:
        raise InvalidFileError("The file has no content.")
    return file["content"], {name: _array(tensor) for name, tensor in tensors}


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
        return loads(file.read())
    with Path(file).open("rb") as opened:
        if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
            raise InvalidFileError(f"{os.fspath(file)!r} is not a regular file.")
        data = opened.read()
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
    # In the same folder, and thus on the same disk, where renaming is one step.
    temporary = path.with_name(f".{path.name[:64]}.{secrets.token_hex(8)}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(temporary, flags, 0o666)
    try:
        with open(descriptor, "wb") as opened:
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
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _check_seal(data):
    if len(data) < _DIGEST_AT + _DIGEST_LENGTH or data[8:_DIGEST_AT] != _BEGIN:
        kind = "a pickle, which is never loaded here" if _is_pickle(data) else "none"
        raise InvalidFileError(
            f"A file that `save` has written was expected, but this is {kind}."
        )
    digest = data[_DIGEST_AT : _DIGEST_AT + _DIGEST_LENGTH]
    if digest != _digest(data).encode():
        raise InvalidFileError(
            "The file is damaged or was cut off: its checksum is not that of its "
            "bytes. Copy it or save it again."
        )


def _is_pickle(data):
    return data[:1] == b"\x80" and data[1:2] in b"\x02\x03\x04\x05"


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
