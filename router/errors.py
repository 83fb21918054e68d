"""Errors of the router: one grammar, *where: rule, got value; what to do*."""


class RouterError(Exception):
    """A refused call of the router; nothing was changed.

    Attributes
    ----------
    where : str
        The thing that was refused, such as ``chip (board 0, chip 3)``.
    rule : str
        The rule that it breaks.
    got : object
        The value that broke it.
    remedy : str
        What the caller can do.
    """

    def __init__(self, where: str, rule: str, got: object, remedy: str) -> None:
        super().__init__(where, rule, got, remedy)
        self.where = where
        self.rule = rule
        self.got = got
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.where}: {self.rule}, got {self.got}; {self.remedy}"


class TreeError(RouterError, ValueError):
    """A tree that cannot be, or an address that is not in the tree."""


class RouteError(RouterError, ValueError):
    """Masks that describe no route."""


class TableError(RouterError, ValueError):
    """Key ranges or destinations that make no routing table."""


class NoRouteError(RouterError, LookupError):
    """A key that no entry of the table holds."""


class CountError(RouterError, ValueError):
    """Counters that nothing could have counted."""
