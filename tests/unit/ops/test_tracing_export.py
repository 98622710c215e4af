"""Spans reach an OpenTelemetry collector, in a process of its own since a tracer provider is set once a process."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

_PROCESS = textwrap.dedent("""
    import asyncio, json, sys
    from concurrent.futures import ThreadPoolExecutor

    import grpc
    from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as wire
    from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as service
    from rapport.ops.tracing import Tracing, current_traceparent, span

    class Collector(service.TraceServiceServicer):
        requests = []

        def Export(self, request, context):
            self.requests.append(request)
            return wire.ExportTraceServiceResponse()

    async def main():
        server = grpc.server(ThreadPoolExecutor(2))
        service.add_TraceServiceServicer_to_server(Collector(), server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        tracing = Tracing("profiler", f"http://127.0.0.1:{port}")
        await tracing.start()
        with span("handle", sys.argv[1]):
            passed_on = current_traceparent()
            with span("embed"):
                pass
        await tracing.stop()
        await tracing.stop()
        server.stop(None)
        scopes = [(part.resource, scope) for request in Collector.requests for part in request.resource_spans
                  for scope in part.scope_spans]
        spans = {one.name: one for _, scope in scopes for one in scope.spans}
        services = {attribute.value.string_value for resource, _ in scopes for attribute in resource.attributes
                    if attribute.key == "service.name"}
        print(json.dumps({
            "services": sorted(services), "passed_on": passed_on,
            "spans": {name: [one.trace_id.hex(), one.span_id.hex(), one.parent_span_id.hex()]
                      for name, one in spans.items()},
        }))

    asyncio.run(main())
""")


def test_spans_arrive_as_children_of_the_incoming_trace() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROCESS, PARENT], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    _, trace_id, remote, _ = PARENT.split("-")
    handle, embed = seen["spans"]["handle"], seen["spans"]["embed"]
    assert seen["services"] == ["profiler"]
    assert [handle[0], handle[2]] == [trace_id, remote]
    assert [embed[0], embed[2]] == [trace_id, handle[1]]
    assert seen["passed_on"] == f"00-{trace_id}-{handle[1]}-01"
