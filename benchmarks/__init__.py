"""The benchmark behind ``scripts/bench``.

`__main__` runs the sections, each in a module of its own: `cold`, `handler`, `warm`, `deploy`,
`growth` and `sizes`. `warm` lets this project's stack (`own`) and its peers (`peers`) take turns
under the same `load`. Sections return tables and plots (`report`), which the console shows and
`document` writes.
"""
