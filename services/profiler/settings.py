"""What the profiler can be told, beside what every process can."""

from __future__ import annotations

from pydantic import Field

from rapport.ops.settings import GrpcSettings, OpsSettings, Section, Settings, WorkerSettings


class ProfilerSection(Section):
    need_half_life_hours: float = Field(default=168.0, gt=0)
    """A need loses half of its strength in this time, counted in event time."""
    need_now_half_life_hours: float = Field(default=2.0, gt=0)
    """As above, for the half of a need's strength that tells what is wanted now."""
    need_merge_cosine: float = Field(default=0.6, ge=-1, le=1)
    """Two needs that have come this near to each other become one."""
    need_join_cosine: float = Field(default=0.3, ge=-1, le=1)
    """A behaviour this near to a need (cosine after centring) is part of it; a farther one opens a need of its own."""
    affinity_half_life_hours: float = Field(default=720.0, gt=0)
    """As above, for categories, brands and price bands."""
    session_gap_minutes: float = Field(default=30.0, gt=0)
    """A pause longer than this ends the session."""
    allowed_lateness_hours: float = Field(default=168.0, gt=0)
    """An event this much older than the customer's newest moves no session, need or affinity; it is counted apart.
    Orders and refunds count whenever they come: money has no window."""
    max_batch: int = Field(default=2048, ge=1)
    """Most events in one batch. A batch costs one transaction and each of its customers one state and one profile,
    so large ones are cheap; a batch of this size takes some 0.3 s."""
    cached_texts: int = Field(default=20_000, ge=1)
    """Texts whose vectors are kept in memory; 1.5 kB each with 384 dimensions."""
    segment_enter: float = Field(default=0.6, gt=0.5, lt=1)
    """A customer enters a segment at this probability."""
    segment_leave: float = Field(default=0.35, gt=0, lt=0.5)
    """A customer leaves it below this one; in between nothing changes, so that nobody flaps."""
    analyst: bool = True
    """Whether this replica runs an analyst beside it: insights, and models fitted on schedule. One works at a time."""
    refit_minutes: float = Field(default=360.0, ge=0)
    """How often segments and customer types are fitted again and promoted; 0: by command only."""
    first_fit_minutes: float = Field(default=3.0, ge=0)
    """When that is tried first; until enough customers were seen, it is tried again every minute."""
    value_refit_minutes: float = Field(default=1440.0, ge=0)
    """As above, for churn risk and expected value, once enough have bought; a minute of one core in a process that
    ends afterwards."""
    value_horizon_days: float = Field(default=90.0, ge=1)
    """How far ahead these look."""
    ageing_minutes: float = Field(default=60.0, ge=0)
    """How often it is looked whether time alone changes the type or churn risk of who stays away; 0: never."""
    ageing_at_most: int = Field(default=5_000, ge=1)
    """Of how many of them one look may tell; the next one goes on."""
    generator: str = ""
    """Model worker with a language model, host:port, that names emerging topics; empty: they go by their own words."""
    insight_every_s: float = Field(default=60.0, gt=0)
    """How often the analyst looks for findings."""
    insight_hours: float = Field(default=24.0, ge=1)
    """What findings call now: counted in whole hours."""
    insight_baseline_hours: float = Field(default=168.0, ge=1)
    """What they compare it with: the time before. Events must be kept on their topic for as long as both together."""
    copy_check_s: float = Field(default=5.0, gt=0)
    """How often Redis is looked at for lost serving copies."""


class ProfilerSettings(Settings):
    profiler: ProfilerSection = ProfilerSection()
    grpc: GrpcSettings = GrpcSettings(port=50051)
    ops: OpsSettings = OpsSettings(port=9101)
    worker: WorkerSettings = WorkerSettings(address="127.0.0.1:50061")
