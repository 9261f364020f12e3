"""A processing step of one's own: counts the rows that a run trains on."""
from pathlib import Path

rows = sum(len(file.read_text().splitlines()) - 1 for file in Path("/opt/ml/processing/input/train").rglob("*.csv"))
target = Path("/opt/ml/processing/output/statistics")
target.mkdir(parents=True, exist_ok=True)
(target / "rows.txt").write_text(f"{rows}\n")
