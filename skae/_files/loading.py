"""Files back as objects, of classes in the table."""

from skae._files.container import read
from skae._files.values import Reader, given_names
from skae._version import __version__
from skae.exceptions import InvalidFileError


def loaded(file, given):
    """The object in a file.

    Parameters
    ----------
    file : str, PathLike or binary file
    given : dict of str to object
        Parameters of users' own, that the file does not hold.

    Returns
    -------
    loaded : object
    """
    content, arrays, versions = read(file)
    try:
        return _made(content, arrays, given)
    except InvalidFileError as error:
        if given:
            raise InvalidFileError(
                f"{error} Is {', '.join(f'{name}=' for name in given)} what it was "
                "when this was saved?"
            ) from error
        written = str(versions.get("skae"))[:40]
        if written == __version__:
            raise
        raise InvalidFileError(
            f"{error} It was written by skae {written}, and this is {__version__}: "
            "update skae if that is newer."
        ) from error


def _made(content, arrays, given):
    try:
        needed = given_names(content)
    except RecursionError as error:
        raise InvalidFileError("The file's content is nested too deep.") from error
    missing = {name: kind for name, kind in needed.items() if name not in given}
    superfluous = sorted(set(given) - set(needed))
    if missing:
        also = f" There is no {', '.join(superfluous)}." if superfluous else ""
        listed = ", ".join(f"{name}= (it was {kind})" for name, kind in missing.items())
        raise TypeError(
            "The file was saved with objects of your own, which it does not hold: "
            f"pass load(file, ...) {listed}.{also}"
        )
    if superfluous:
        names = ", ".join(f"{name}=" for name in needed) or "nothing"
        raise TypeError(
            f"load was given {', '.join(superfluous)}, but the file needs {names} to "
            "be passed: leave out the others."
        )
    return Reader(arrays, given).whole(content)
