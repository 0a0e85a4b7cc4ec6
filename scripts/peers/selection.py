#!/usr/bin/env python3
"""The peers of the benchmark `selection/dilepton`, and its events.

  selection.py generate FILE --events N     writes the events: jagged leptons, jets and photons, MET, a weight
  selection.py PEER FILE OUT --threads N    PEER: numba, duckdb, polars, awkward. Waits for lines on standard input; for each it
                                            selects once and prints seconds and what it found, as JSON

The selection: two leptons, both above 27 GeV; m_ll, deltaR, deltaPhi, H_T of jets with pT > 30 GeV and |eta| < 2.5 and of the
two leptons; number of such jets; MET, weight, event number; written as Parquet (zstd). Leptons are ordered by pT in the file,
and massless. Imports, compilation and one run for warming up are not timed. `decode` reads the columns and selects nothing.
"""
import argparse, json, os, sys, time

READ = ["event", "weight", "met", "lep_pt", "lep_eta", "lep_phi", "lep_flavour", "lep_charge", "jet_pt", "jet_eta"]


def generate(path, events, seed=7, chunk=1 << 20):
    import numpy as np, pyarrow as pa, pyarrow.parquet as pq
    rng, writer = np.random.default_rng(seed), None
    f32 = np.float32

    def momenta(n, mean, least, scale, offset, eta_max):
        counts = np.minimum(rng.poisson(mean, n) + least, 20)
        offsets = np.zeros(n + 1, np.int32)
        np.cumsum(counts, out=offsets[1:])
        total = int(offsets[-1])
        pt = (offset + rng.exponential(scale, total)).astype(f32)
        pt = pt[np.lexsort((-pt, np.repeat(np.arange(n), counts)))]
        lists = lambda values: pa.ListArray.from_arrays(pa.array(offsets), pa.array(values))
        eta, phi = rng.uniform(-eta_max, eta_max, total).astype(f32), rng.uniform(-np.pi, np.pi, total).astype(f32)
        return lists, total, {"pt": lists(pt), "eta": lists(eta), "phi": lists(phi)}

    for start in range(0, events, chunk):
        n = min(chunk, events - start)
        table = {"event": pa.array(np.arange(start, start + n, dtype=np.int64)),
                 "weight": pa.array(rng.normal(1, .1, n).astype(f32)),
                 "met": pa.array(rng.exponential(40, n).astype(f32)),
                 "met_phi": pa.array(rng.uniform(-np.pi, np.pi, n).astype(f32))}
        lists, total, lep = momenta(n, 0.9, 1, 30, 7, 2.5)
        table |= {f"lep_{key}": value for key, value in lep.items()}
        table["lep_flavour"] = lists(np.where(rng.random(total) < .5, 11, 13).astype(np.int8))
        table["lep_charge"] = lists(np.where(rng.random(total) < .5, 1, -1).astype(np.int8))
        lists, total, jet = momenta(n, 3.0, 0, 45, 25, 4.5)
        table |= {f"jet_{key}": value for key, value in jet.items()}
        table["jet_m"] = lists((5 + rng.exponential(8, total)).astype(f32))
        table["jet_btag"] = lists(rng.random(total).astype(f32))
        _, _, photon = momenta(n, 0.3, 0, 25, 20, 2.4)
        table |= {f"ph_{key}": value for key, value in photon.items()}
        table = pa.table(table)
        writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table, row_group_size=chunk)
    writer.close()


def threaded(function, path, threads):
    """The row groups of the file through `function`, in order."""
    from concurrent.futures import ThreadPoolExecutor
    import pyarrow.parquet as pq
    groups = pq.ParquetFile(path).metadata.num_row_groups
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda group: function(pq.ParquetFile(path), group), range(groups)))


def numba_peer(path, out, threads):
    import numba, numpy as np, pyarrow as pa, pyarrow.parquet as pq
    pa.set_cpu_count(threads)
    pa.set_io_thread_count(threads)

    @numba.njit(nogil=True)
    def select(lo, lpt, leta, lphi, lfl, lch, jo, jpt, jeta, index, channel, opposite, m, dr, dphi, ht, n_jet):
        k = 0
        for i in range(lo.size - 1):
            s = lo[i]
            if lo[i + 1] - s < 2 or lpt[s + 1] <= 27:
                continue
            d = lphi[s] - lphi[s + 1]
            if d > np.pi:
                d -= 2 * np.pi
            elif d < -np.pi:
                d += 2 * np.pi
            de = leta[s] - leta[s + 1]
            h, n = lpt[s] + lpt[s + 1], 0
            for j in range(jo[i], jo[i + 1]):
                if jpt[j] > 30 and abs(jeta[j]) < 2.5:
                    h += jpt[j]
                    n += 1
            index[k] = i
            channel[k] = (lfl[s] == 13) + (lfl[s + 1] == 13)
            opposite[k] = lch[s] * lch[s + 1] < 0
            m[k] = np.sqrt(2 * lpt[s] * lpt[s + 1] * (np.cosh(de) - np.cos(d)))
            dr[k], dphi[k], ht[k], n_jet[k] = np.sqrt(de * de + d * d), d, h, n
            k += 1
        return k

    def group(file, number):
        table = file.read_row_group(number, columns=READ, use_threads=False)
        arrays = {}
        for name in READ:
            column = table[name].combine_chunks()
            column = column.chunk(0) if isinstance(column, pa.ChunkedArray) else column
            if name[:4] in ("lep_", "jet_"):
                arrays[name], arrays[name[:3]] = column.values.to_numpy(), column.offsets.to_numpy()
            else:
                arrays[name] = column.to_numpy()
        n = table.num_rows
        index, channel, opposite = np.empty(n, np.int64), np.empty(n, np.int8), np.empty(n, np.bool_)
        numbers, n_jet = [np.empty(n, np.float32) for _ in range(4)], np.empty(n, np.int16)
        k = select(arrays["lep"], *(arrays["lep_" + q] for q in ("pt", "eta", "phi", "flavour", "charge")), arrays["jet"],
                   arrays["jet_pt"], arrays["jet_eta"], index, channel, opposite, *numbers, n_jet)
        i = index[:k]
        names = dict(zip(("m_ll", "dr_ll", "dphi_ll", "ht"), (x[:k] for x in numbers)))
        return pa.table({"event": arrays["event"][i], "weight": arrays["weight"][i], "met": arrays["met"][i],
                         "channel": channel[:k], "opposite_sign": opposite[:k], **names, "n_jet": n_jet[:k]})

    def job():
        table = pa.concat_tables(threaded(group, path, threads))
        pq.write_table(table, out, compression="zstd")
        return table.num_rows, float(table["m_ll"].to_numpy().astype(float).sum()), float(table["ht"].to_numpy().astype(float).sum())
    return job


def decode_peer(path, out, threads):
    import pyarrow.parquet as pq

    def job():
        rows = threaded(lambda file, number: file.read_row_group(number, columns=READ, use_threads=False).num_rows, path, threads)
        return sum(rows), 0.0, 0.0
    return job


def duckdb_peer(path, out, threads):
    import duckdb
    query = f"""COPY (WITH two AS (SELECT event, weight, met, jet_pt, jet_eta, lep_pt[1] p1, lep_pt[2] p2,
        lep_eta[1] - lep_eta[2] de, lep_phi[1] - lep_phi[2] d0, lep_flavour[1] f1, lep_flavour[2] f2, lep_charge[1] * lep_charge[2] qq
        FROM read_parquet('{path}') WHERE len(lep_pt) >= 2 AND lep_pt[2] > 27),
      wrapped AS (SELECT *, CASE WHEN d0 > pi() THEN d0 - 2 * pi() WHEN d0 < -pi() THEN d0 + 2 * pi() ELSE d0 END d,
        list_transform(list_filter(list_zip(jet_pt, jet_eta), lambda x: x[1] > 30 AND abs(x[2]) < 2.5), lambda x: x[1]) jets FROM two)
      SELECT event, weight, met, (f1 = 13)::INT + (f2 = 13)::INT AS channel, qq < 0 AS opposite_sign,
        sqrt(2 * p1 * p2 * (cosh(de) - cos(d)))::FLOAT AS m_ll, sqrt(de * de + d * d)::FLOAT AS dr_ll, d::FLOAT AS dphi_ll,
        (p1 + p2 + coalesce(list_sum(jets), 0))::FLOAT AS ht, len(jets) AS n_jet FROM wrapped) TO '{out}' (FORMAT parquet, COMPRESSION zstd)"""

    def job():
        connection = duckdb.connect()
        connection.execute(f"SET threads={threads}; SET preserve_insertion_order=false")
        connection.execute(query)
        return connection.execute(f"SELECT count(*), sum(m_ll), sum(ht) FROM '{out}'").fetchone()
    return job


PEERS = {"numba": numba_peer, "duckdb": duckdb_peer, "decode": decode_peer}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["generate", *PEERS])
    parser.add_argument("file")
    parser.add_argument("out", nargs="?")
    parser.add_argument("--events", type=int, default=4_000_000)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    if arguments.what == "generate":
        return generate(arguments.file, arguments.events)
    for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "POLARS_MAX_THREADS"):
        os.environ[name] = str(arguments.threads)
    job = PEERS[arguments.what](arguments.file, arguments.out, arguments.threads)
    job()
    print("ready", flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        events, m_ll, ht = job()
        seconds = time.perf_counter() - start
        print(json.dumps({"seconds": seconds, "events": events, "m_ll": float(m_ll), "ht": float(ht)}), flush=True)


main()
