"""The report of a model: one self-contained HTML page without scripts.

`page.render` puts together `sections`, which are made of `elements` and `figures`. `importance` and
`words` find out what the model goes by.
"""

from training.report.page import render

__all__ = ["render"]
