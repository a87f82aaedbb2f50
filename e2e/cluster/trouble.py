"""One exception for what a person at the terminal has to know: what is wrong, where, what to do."""


class ClusterTrouble(RuntimeError):  # noqa: N818 -- it reads as what it is at every raise
    """The command cannot go on; the message is shown as it is and the exit status is `status`."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status
