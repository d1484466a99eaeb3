import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createLoopRecord,
  isStarterRunning,
  type LoopRecord,
  readLoopRecord,
  recordedProcess,
  removeLoopRecord,
  replaceLoopRecord,
  requireNoLoop,
  runningProcesses,
} from '../../../infra/local/loop/loopRecord.ts';

let dir = '';
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'driftloop-record-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

const record: LoopRecord = {
  starter: recordedProcess(process.pid),
  startedAt: '2026-01-31T00:00:00.000Z',
  variables: null,
  parts: [],
};

describe('the record of a loop', () => {
  it('is created once, replaced and removed', () => {
    expect(readLoopRecord(dir)).toBeNull();
    createLoopRecord(dir, record);
    expect(() => createLoopRecord(dir, record)).toThrow('another command is starting Driftloop');
    expect(() => requireNoLoop(dir)).toThrow(`(process ${process.pid})`);
    const servers = { KAFKA_BROKERS: 'k', SCHEMA_REGISTRY_URL: 'r', CLICKHOUSE_URL: 'c' };
    replaceLoopRecord(dir, { ...record, variables: servers });
    expect(readLoopRecord(dir)).toEqual({ ...record, variables: servers });
    removeLoopRecord(dir);
    expect(readLoopRecord(dir)).toBeNull();
  });

  it('is named if it is damaged', () => {
    writeFileSync(join(dir, 'running.json'), '{');
    expect(() => readLoopRecord(dir)).toThrow(`${join(dir, 'running.json')} cannot be read`);
    removeLoopRecord(dir);
  });

  it('is recognised after a crash of the machine, although other processes have its process ids now', () => {
    const others = { pid: process.pid, command: 'node bin/driftloop.ts up' };
    const part = { ...others, name: 'Kafka', address: '', logFile: '' };
    const stale = { ...record, starter: others, parts: [part] };
    expect(isStarterRunning(stale)).toBe(false);
    expect(runningProcesses(stale)).toEqual([]);
    expect(isStarterRunning(record)).toBe(true);
  });
});
