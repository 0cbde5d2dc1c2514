"""Makes the component: `pip install componentize-py==0.25.1`, then `python build.py [OUT.wasm]`.

With `--wasi` the runtime's imports stay in it; Tallow answers them with nothing.
"""

import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
WIT = HERE.parents[2] / "wit"


def main() -> None:
    paths = [argument for argument in sys.argv[1:] if argument != "--wasi"]
    stubbed = [] if "--wasi" in sys.argv else ["--stub-wasi"]
    out = Path(paths[0] if paths else HERE / "parse-coinbase-py.wasm").resolve()
    tool = Path(sysconfig.get_path("scripts")) / "componentize-py"
    with tempfile.TemporaryDirectory() as folder:
        # The layout that the tool wants: a package, and those that it uses under `deps`.
        wit = Path(folder) / "wit"
        shutil.copytree(WIT / "parse", wit)
        shutil.copytree(WIT / "types", wit / "deps" / "types")
        world = ["--wit-path", str(wit), "--world", "parse-function"]
        # A function has no clock, no randomness and no files: Python's own are stubbed, and the component imports
        # types alone.
        app = ["--python-path", str(HERE), "app", "--output", str(out)]
        command = [str(tool), *world, "componentize", *stubbed, *app]
        subprocess.run(command, check=True, cwd=folder)
    print(f"{out}  {out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
