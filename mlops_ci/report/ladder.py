"""What is left out first when a report is too long, step by step."""

from __future__ import annotations

from mlops_ci.value import Value


class Rung(Value, frozen=True):
    """What is shown. `slices` bounds their table (the worst of them are worth reading), `rows`
    every table of gates, `models` that of models, `sections` those told one by one, `tail` the
    characters of a log; None: everything.
    """

    metrics: bool = True
    slices: int = 1000
    facts: bool = True
    passed: bool = True
    rows: int | None = None
    models: int | None = None
    sections: int | None = None
    tail: int = 6000

    @property
    def full(self) -> bool:
        return self == Rung()


LADDER = (
    Rung(),
    *(Rung(slices=slices) for slices in (200, 50, 10, 0)),
    Rung(slices=0, metrics=False),
    Rung(slices=0, metrics=False, facts=False, tail=3000),
    Rung(slices=0, metrics=False, facts=False, passed=False, tail=2000, sections=30),
    *(
        Rung(
            slices=0,
            metrics=False,
            facts=False,
            passed=False,
            rows=rows,
            models=4 * rows,
            sections=rows // 4,
            tail=30 * rows,
        )
        for rows in (100, 50, 25, 10, 4, 1, 0)
    ),
)
