"""How much is measured."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """What the command line asks for.

    Attributes
    ----------
    peers : bool
        Whether peers take part.
    quick : bool
        Fewer rounds and sizes: to see that all works, not to compare.
    requests : int
        Of each measurement under load, all clients together.
    data : str or None
        Reviews to train on, as for ``scripts/up``.
    """

    peers: bool = False
    quick: bool = False
    requests: int = 400
    data: str | None = None

    @property
    def load_rounds(self) -> int:
        """Rounds under load."""
        return 2 if self.quick else 7

    @property
    def cold_rounds(self) -> int:
        """Starts of each way."""
        return 2 if self.quick else 9

    @property
    def deploy_rounds(self) -> int:
        """Emulators that are started and deployed to."""
        return 1 if self.quick else 3

    @property
    def growth_rounds(self) -> int:
        """Fresh processes for each form and size of a model."""
        return 1 if self.quick else 3

    @property
    def vocabularies(self) -> tuple[int, ...]:
        """Numbers of terms."""
        return (10_000, 100_000) if self.quick else (10_000, 30_000, 100_000, 300_000, 1_000_000)
