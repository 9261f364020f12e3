"""The same report from DuckDB: 200 quantile bins by SQL, distances from the counts with numpy; one thread, one pass a side."""

import sys

import duckdb
import numpy as np

db = duckdb.connect()
db.execute("SET threads = 1")
for table, path in zip(("reference", "live"), sys.argv[1:3]):
    db.execute(f"CREATE TABLE {table} AS SELECT * FROM read_csv('{path}')")
columns = db.execute("SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'reference' ORDER BY ordinal_position").fetchall()
quantiles = "[" + ",".join(f"{i / 200}" for i in range(1, 200)) + "]"


def distances(p, q):
    p, q = (np.maximum(side / side.sum(), 1e-6) for side in (p, q))
    middle = (p + q) / 2
    divergence = (np.sum(p * np.log2(p / middle)) + np.sum(q * np.log2(q / middle))) / 2
    return {"psi": float(np.sum((p - q) * np.log(p / q))), "js": float(np.sqrt(max(0.0, divergence))), "ks": float(np.abs(np.cumsum(p - q)).max())}


for name, kind in columns:
    quoted = f'"{name}"'
    missing = [db.execute(f"SELECT avg(({quoted} IS NULL)::INT) FROM {table}").fetchone()[0] for table in ("reference", "live")]
    if kind == "DOUBLE":
        edges = np.unique(db.execute(f"SELECT quantile_cont({quoted}, {quantiles}) FROM reference").fetchone()[0])
        db.execute("CREATE OR REPLACE TEMP TABLE edges AS SELECT unnest(?::DOUBLE[]) AS edge", [edges.tolist()])
        sides = []
        for table in ("reference", "live"):
            found = db.execute(
                f"SELECT bin, count(*) FROM {table} ASOF LEFT JOIN (SELECT edge, row_number() OVER (ORDER BY edge) AS bin FROM edges) AS bins "
                f"ON {quoted} >= bins.edge WHERE {quoted} IS NOT NULL GROUP BY bin"
            ).fetchall()
            counts = np.zeros(len(edges) + 1)
            for bin_, count in found:
                counts[bin_ or 0] = count
            sides.append(counts)
        print(name, missing, distances(*sides))
    else:
        both = db.execute(
            f"SELECT coalesce(a.n, 0), coalesce(b.n, 0) FROM (SELECT {quoted}::VARCHAR AS v, count(*) AS n FROM reference WHERE {quoted} IS NOT NULL GROUP BY v) a "
            f"FULL JOIN (SELECT {quoted}::VARCHAR AS v, count(*) AS n FROM live WHERE {quoted} IS NOT NULL GROUP BY v) b USING (v)"
        ).fetchnumpy()
        a, b = (np.asarray(side, dtype=float) for side in both.values())
        print(name, missing, distances(a, b))
