"""Where the counts lie in Redis.

    <tenant>:co-visits:{<tenant>}:<product>      what the product is tied to
    <tenant>:trail:{<tenant>}:<customer>         where a customer has been lately
    <tenant>:reactions:{<tenant>}:<customer>     what they made of what they were shown and bought
    <tenant>:merged:{<tenant>}:<customer>        set: ids that were merged into this customer's
    <tenant>:board:{<tenant>}:trending           sorted set of marks; also `popular`, `examined`, `clicked`, `refused`
    <tenant>:board:{<tenant>}:clock              event time of the newest behaviour counted
    <tenant>:shoppers:{<tenant>}:<day>           sorted set: shoppers of the day by product
    <tenant>:counted:{<tenant>}:<topic>/<n>      last offset of a partition that is in all of the above
    <tenant>:reached:<topic>/<n>                 all tenants are counted up to here (under the default tenant)

The hash tag keeps one tenant's counts on one node of a cluster: only there can the counts and the offset that they
include change together. What is large (embeddings, profiles) lies elsewhere, spread over all nodes.
"""

from __future__ import annotations

from rapport.vectors.keys import document_prefix


def counting_prefix(tenant: str, kind: str) -> str:
    """What the keys of a kind begin with; the id follows."""
    prefix = document_prefix(tenant, kind)
    return f"{prefix}{{{prefix.partition(':')[0]}}}:"


def trail(tenant: str, customer_id: str) -> str:
    return counting_prefix(tenant, "trail") + customer_id


def reactions(tenant: str, customer_id: str) -> str:
    return counting_prefix(tenant, "reactions") + customer_id


def merged(tenant: str, customer_id: str) -> str:
    return counting_prefix(tenant, "merged") + customer_id


def board(tenant: str, name: str) -> str:
    return counting_prefix(tenant, "board") + name


def shoppers(tenant: str, day: str) -> str:
    return counting_prefix(tenant, "shoppers") + day


def co_visits(tenant: str, product_id: str) -> str:
    return counting_prefix(tenant, "co-visits") + product_id


def counted(tenant: str, topic: str, partition: int) -> str:
    return f"{counting_prefix(tenant, 'counted')}{topic}/{partition}"


def reached(tenant: str, topic: str, partition: int) -> str:
    return f"{document_prefix(tenant, 'reached')}{topic}/{partition}"
