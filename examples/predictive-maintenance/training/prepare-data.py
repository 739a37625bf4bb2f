"""Makes input/ from the hydraulic rig's full recording: the three channels of the reference pipeline, cut into blocks of
time, and what is needed to judge a model on them.

    python3 prepare-data.py SOURCE [OUT]

SOURCE holds readings.ndjson.gz (one object a second: deviceId, timestamp, temperature = TS1, vibration = VS1,
pressure = PS1, flow = FS1 and more) and labels.csv (one row a minute), made from "Condition monitoring of hydraulic
systems" (see input/ATTRIBUTION.md). What is in the files is the same each time.

The rig ran one programme again and again: the pump sound, then leaking severely, then weakly. One block is one such
repetition, cut in the middle of the sound phases; where the cooler's state changes within a sound phase, it is cut
there. The last repetition under each state of the cooler is for testing, all others are for training.
"""

import csv
import gzip
import io
import json
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

WINDOW = timedelta(minutes=5)
CHANNELS = ["temperature", "vibration", "pressure"]
# Window means of these are kept for the model card, which says what more channels would bring.
OTHER_CHANNELS = ["temperature", "flow"]
LABELS = ["coolerPct", "valvePct", "pumpLeak", "accumulatorBar", "notStable", "fault"]
OUT_DEFAULT = Path(__file__).resolve().parent.parent / "input"


def parse_time(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def format_time(time):
    return time.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def window_start(time):
    return datetime.fromtimestamp(time.timestamp() // WINDOW.total_seconds() * WINDOW.total_seconds(), timezone.utc)


def block_starts(minutes):
    """The first window of each block, from the rows of labels.csv."""
    starts = [window_start(parse_time(minutes[0]["start"]))]
    sound_since, cooler_change = parse_time(minutes[0]["start"]), None
    for before, now in zip(minutes, minutes[1:]):
        time = parse_time(now["start"])
        if before["coolerPct"] != now["coolerPct"]:
            cooler_change = time
        if before["pumpLeak"] != "0" and now["pumpLeak"] == "0":
            sound_since, cooler_change = time, None
        if before["pumpLeak"] == "0" and now["pumpLeak"] != "0" and sound_since > starts[0]:
            # After the change, so that the window that saw both states belongs to the block before.
            cut = cooler_change + WINDOW if cooler_change else sound_since + (time - sound_since) / 2
            starts.append(window_start(cut))
    return starts


def blocks_of(minutes):
    starts = block_starts(minutes)
    end = parse_time(minutes[-1]["end"])
    # The recording ends within a window, which is left out: windows are whole or not there.
    ends = starts[1:] + [window_start(end)]
    blocks = []
    for number, (start, stop) in enumerate(zip(starts, ends), start=1):
        inside = [row for row in minutes if start <= parse_time(row["start"]) < stop]
        # Of the block's first minute: a change is the end of a block.
        blocks.append({"block": number, "start": start, "end": stop, "coolerPct": inside[0]["coolerPct"]})
    for block, after in zip(blocks, blocks[1:] + [None]):
        is_last = after is None or after["coolerPct"] != block["coolerPct"]
        block["use"] = "test" if is_last else "training"
    return blocks


def write_gzip(path, text):
    buffer = io.BytesIO()
    # No time and no name in the header: the same bytes each time.
    with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, compresslevel=9, mtime=0) as file:
        file.write(text.encode())
    path.write_bytes(buffer.getvalue())


def write_csv(path, header, rows):
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def main(source, out):
    with (source / "labels.csv").open() as file:
        minutes = list(csv.DictReader(file))
    blocks = blocks_of(minutes)
    lines = {"training": [], "test": []}
    sums = {}
    with gzip.open(source / "readings.ndjson.gz", "rt") as file:
        for line in file:
            # Numbers stay as they were written.
            reading = json.loads(line, parse_float=str, parse_int=str)
            time = parse_time(reading["timestamp"])
            block = next((b for b in blocks if b["start"] <= time < b["end"]), None)
            if block is None:
                continue
            values = ",".join(f'"{channel}":{reading[channel]}' for channel in CHANNELS)
            lines[block["use"]].append(
                f'{{"deviceId":"{reading["deviceId"]}","timestamp":"{reading["timestamp"]}",{values}}}\n'
            )
            total = sums.setdefault(window_start(time), [0] + [0.0] * len(OTHER_CHANNELS))
            total[0] += 1
            for i, channel in enumerate(OTHER_CHANNELS, start=1):
                total[i] += float(reading[channel])

    out.mkdir(exist_ok=True)
    write_gzip(out / "readings.ndjson.gz", "".join(lines["test"]))
    write_gzip(out / "training-readings.ndjson.gz", "".join(lines["training"]))
    write_csv(
        out / "blocks.csv",
        ["block", "start", "end", "use", "coolerPct"],
        [[b["block"], format_time(b["start"]), format_time(b["end"]), b["use"], b["coolerPct"]] for b in blocks],
    )
    write_csv(out / "labels.csv", ["start", *LABELS], [[row["start"], *(row[name] for name in LABELS)] for row in minutes])
    write_csv(
        out / "other-channels.csv",
        ["windowStart", *(f"{channel}Mean" for channel in OTHER_CHANNELS)],
        [[format_time(start), *(f"{s / n:.6g}" for s in rest)] for start, (n, *rest) in sorted(sums.items())],
    )
    for block in blocks:
        print(block["block"], format_time(block["start"]), format_time(block["end"]), block["use"], block["coolerPct"])


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: prepare-data.py SOURCE [OUT] (SOURCE: a folder with readings.ndjson.gz and labels.csv)")
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) == 3 else OUT_DEFAULT)
