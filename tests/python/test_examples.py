"""The notebooks run from their first cell to their last, as a reader would run them, on the made-up device."""

import pathlib
import shutil

import pytest

from conftest import BUILD

NOTEBOOKS = pathlib.Path(__file__).parents[2] / "examples/notebooks"
NEEDED = {"shrink_my_network": "timm", "latency_for_search": "optuna", "compare_machines": "pandas"}


@pytest.mark.parametrize("notebook", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_notebooks_run(notebook, tmp_path, monkeypatch):
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip(NEEDED[notebook.stem])
    # Where a reader has them: a folder of its own, from which ../../results leads to the repository's.
    folder = tmp_path / "examples/notebooks"
    folder.mkdir(parents=True)
    (tmp_path / "results").symlink_to(NOTEBOOKS.parents[1] / "results")
    shutil.copy(notebook, folder)
    monkeypatch.setenv("PYTHONPATH", str(BUILD / "python"))
    cells = nbformat.read(folder / notebook.name, as_version=4)
    nbclient.NotebookClient(cells, timeout=120, resources={"metadata": {"path": str(folder)}}).execute()
    outputs = [output for cell in cells.cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert any("text/html" in output.get("data", {}) for output in outputs)
