import { spawnSync } from 'node:child_process';

/** Runs a command and tells what its whole process used; a fresh Python reads the system's own account of it. */
const WATCH = `
import json, resource, subprocess, sys, time
started = time.monotonic()
done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
sys.stdout.write(json.dumps({
    "status": done.returncode, "out": done.stdout.decode(errors="replace"), "err": done.stderr.decode(errors="replace")[-2000:],
    "cpuSeconds": used.ru_utime + used.ru_stime, "wallSeconds": time.monotonic() - started, "peakMb": used.ru_maxrss / 1024,
}))
`;

export const usageOf = (command, args, { python = 'python3', core } = {}) => {
  const pinned = core === undefined ? [command, ...args] : ['taskset', '-c', String(core), command, ...args];
  const watched = spawnSync(python, ['-c', WATCH, ...pinned], { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (watched.status !== 0) throw new Error(`${command} could not be watched: ${watched.stderr}`);
  const used = JSON.parse(watched.stdout);
  if (used.status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${used.status}: ${used.err}`);
  return used;
};
