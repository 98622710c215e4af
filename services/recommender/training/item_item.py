"""Fits item–item weights: EASE, and cosine co-visitation (ItemKNN) as the simple peer."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.linalg import lapack
from scipy.sparse import csr_matrix

from rapport.ops.errors import InvalidRequest
from services.recommender.evaluation.histories import Floats, Histories
from services.recommender.learned.item_item import ItemItem

# EASE inverts a dense items × items matrix: 20,000 items take 1.6 GB and some minutes on one core.
EASE_MOST_ITEMS = 20_000
# Rows of a dense product that are held at once.
_ROWS = 1024


def ease(histories: Histories, l2: float, keep: int = 200, fading: float = 1.0) -> ItemItem:
    """EASE (Steck 2019, arXiv:1905.03375): B = I - P·diag(1/P), P = (XᵀX + l2·I)⁻¹; the `keep` largest of each row.

    A larger catalogue is cut to its most used items. Raises `InvalidRequest` when there is nothing to learn from.
    """
    used = np.argsort(-histories.popularity(), kind="stable")[:EASE_MOST_ITEMS]
    used = np.sort(used[histories.popularity()[used] > 0])
    if not len(used):
        raise InvalidRequest("no interactions", field="histories")
    seen = histories.matrix()[:, used]
    gram = np.asarray((seen.T @ seen).todense(), dtype=np.float32, order="F")
    gram[np.diag_indices_from(gram)] += np.float32(l2)
    factor, failed = lapack.spotrf(gram, lower=1, overwrite_a=1)
    inverse, failed_again = lapack.spotri(factor, lower=1, overwrite_c=1)
    if failed or failed_again:
        raise InvalidRequest("the matrix cannot be inverted", field="l2", fix="a larger one")
    inverse = np.tril(inverse)
    inverse += np.tril(inverse, -1).T
    diagonal = np.diag(inverse).copy()
    inverse /= -diagonal[None, :]
    np.fill_diagonal(inverse, 0.0)
    return _strongest(csr_rows(inverse, keep, used, len(histories.items)), histories, keep, fading)


def csr_rows(dense: Floats, keep: int, used: npt.NDArray[np.int64], items: int) -> csr_matrix:
    """The `keep` largest positive values of each row, as rows and columns of the whole catalogue."""
    rows, columns, values = [], [], []
    keep = min(keep, dense.shape[1])
    for begin in range(0, len(dense), _ROWS):
        part = dense[begin : begin + _ROWS]
        top = np.argpartition(-part, keep - 1, axis=1)[:, :keep]
        found = np.take_along_axis(part, top, axis=1)
        row, place = np.nonzero(found > 0)
        rows.append(used[begin + row])
        columns.append(used[top[row, place]])
        values.append(found[row, place])
    where = (np.concatenate(rows), np.concatenate(columns))
    return csr_matrix((np.concatenate(values), where), shape=(items, items), dtype=np.float32)


def cosine(histories: Histories, shrink: float, keep: int = 200, fading: float = 1.0) -> ItemItem:
    """ItemKNN: n_ij / (√(n_i n_j) + shrink), n_ij the users who dealt with both."""
    seen = histories.matrix()
    together = (seen.T @ seen).tocoo()
    users = np.asarray(seen.sum(axis=0)).ravel()
    off = together.row != together.col
    row, column = together.row[off], together.col[off]
    values = together.data[off] / (np.sqrt(users[row] * users[column]) + shrink)
    weights = csr_matrix((values, (row, column)), shape=together.shape, dtype=np.float32)
    return _strongest(weights, histories, keep, fading)


def transitions(histories: Histories, reach: int, shrink: float, keep: int = 200, fading: float = 1.0) -> ItemItem:
    """What follows what: from each item to those up to `reach` steps later, 1 / steps each, over √(n_i n_j) + shrink.
    Unlike the cosine it knows the order: a refill follows the machine, seldom the other way."""
    items, shape = len(histories.items), (len(histories.items), len(histories.items))
    owner, item = histories.owner(), histories.item
    total = csr_matrix(shape, dtype=np.float32)
    for step in range(1, reach + 1):
        same = owner[step:] == owner[:-step]
        values = np.full(int(same.sum()), 1.0 / step, np.float32)
        total = total + csr_matrix((values, (item[:-step][same], item[step:][same])), shape=shape)
    total.setdiag(0)
    total.eliminate_zeros()
    counts = np.bincount(item, minlength=items).astype(np.float32)
    found = total.tocoo()
    found.data /= np.sqrt(counts[found.row] * counts[found.col]) + np.float32(shrink)
    return _strongest(found.tocsr(), histories, keep, fading)


def _strongest(weights: csr_matrix, histories: Histories, keep: int, fading: float) -> ItemItem:
    """Each row's `keep` largest."""
    rows = weights.tocoo()
    order = np.lexsort((-rows.data, rows.row))
    row, column, value = rows.row[order], rows.col[order], rows.data[order]
    starts = np.searchsorted(row, np.arange(len(histories.items) + 1))
    kept = np.arange(len(row)) - starts[row] < keep
    counts = np.bincount(row[kept], minlength=len(histories.items))
    return ItemItem(
        histories.items,
        np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
        column[kept].astype(np.int32),
        value[kept].astype(np.float32),
        fading,
    )
