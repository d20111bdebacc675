"""The steps of clustering as pure functions of signatures, for engines whose machines share no memory.

Each function takes a list of groups and returns a list of answers, without the GIL. A signature is its JSON, as the
column `signature` of `ksplat.to_arrow` has it; a hash is sixteen hexadecimal digits. A link is a tuple of two exact
hashes, the rule, the score, the evidence, and a hash that orders equally strong links of the same pair. `ksplat.spark`
and `ksplat.duckdb` show in which order the steps give the clusters of `ksplat.Index`.
"""

from ._native import (
    ATTACH,
    MAX_NEAR,
    PERHAPS,
)
from ._native import (
    steps_candidates as candidates,
)
from ._native import (
    steps_cluster as cluster,
)
from ._native import (
    steps_components as components,
)
from ._native import (
    steps_describe as describe,
)
from ._native import (
    steps_edges as edges,
)
from ._native import (
    steps_keys as keys,
)
from ._native import (
    steps_merge as merge,
)
from ._native import (
    steps_score as score,
)
from ._native import (
    steps_scores as scores,
)
from ._native import (
    steps_titles as titles,
)

__all__ = [
    "ATTACH",
    "MAX_NEAR",
    "PERHAPS",
    "candidates",
    "cluster",
    "components",
    "describe",
    "edges",
    "keys",
    "merge",
    "score",
    "scores",
    "titles",
]
