"""Files back as objects, of classes in the table."""

from skae._files.container import read
from skae._files.values import Reader, given_names
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
    content, arrays = read(file)
    try:
        needed = given_names(content)
    except RecursionError as error:
        raise InvalidFileError("The file's content is nested too deep.") from error
    missing = {name: kind for name, kind in needed.items() if name not in given}
    if missing:
        listed = ", ".join(f"{name}= (it was {kind})" for name, kind in missing.items())
        raise TypeError(
            f"The file was saved with objects of your own, which it does not hold: "
            f"pass load(file, ...) {listed}."
        )
    superfluous = sorted(set(given) - set(needed))
    if superfluous:
        raise TypeError(
            f"load was given {superfluous}, but the file lacks {sorted(needed)} only."
        )
    return Reader(arrays, given).whole(content)
