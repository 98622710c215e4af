"""`./rapport contracts`: what is generated from the code, and what code is generated from."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

REPO = Path(__file__).resolve().parents[2]
DOCS = REPO / "docs" / "contracts"

app = typer.Typer(no_args_is_help=True, help="JSON Schemas, AsyncAPI, the event reference, and gRPC code.")


def product_version() -> str:
    """The version in pyproject.toml, which is where it is kept."""
    import tomllib

    project = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["version"])


@app.command()
def export(
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = DOCS,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail when a file is not in step.")] = False,
) -> None:
    """Write JSON Schemas, the AsyncAPI document, the topic list and the event reference."""
    from rapport.events.export import contract_files, stale, write

    files = contract_files(product_version())
    changed = stale(files, out) if check else write(files, out)
    for path in changed:
        print(f"{'differs' if check else 'wrote'}  {out / path}")
    print(f"{len(files)} contract files, {len(changed)} {'out of step' if check else 'written'}")
    if check and changed:
        raise typer.Exit(1)


@app.command()
def generate(
    out: Annotated[Path, typer.Option(help="Folder that holds the package `rapport`.")] = REPO / "shared",
) -> None:
    """Generate the gRPC code from proto/ (needs the development requirements)."""
    protos = sorted(str(path.relative_to(REPO / "proto")) for path in (REPO / "proto").rglob("*.proto"))
    tools = Path(sys.executable).parent
    plugins = [f"--plugin=protoc-gen-{name}={tools / f'protoc-gen-{name}'}" for name in ("mypy", "mypy_grpc")]
    outputs = [f"--{kind}={out}" for kind in ("python_out", "grpc_python_out", "mypy_out", "mypy_grpc_out")]
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{REPO / 'proto'}", *plugins, *outputs, *protos]
    done = subprocess.run(command, check=False)
    if done.returncode:
        raise typer.Exit(done.returncode)
    print(f"generated code for {len(protos)} protos under {out / 'rapport' / 'contracts'}")
