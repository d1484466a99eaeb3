import { readFileSync } from 'node:fs';
import avro from 'avsc';
import { describe, expect, it } from 'vitest';
import type { VersionState } from '../../../services/retrainer/versions/modelState.ts';
import {
  recordOfGates,
  recordOfStep,
  statusOfState,
  type VersionFacts,
} from '../../../services/retrainer/versions/publishedVersion.ts';
import { contractType } from '../../../services/shared/avro/schemaRegistry.ts';
import type { ModelVersion, VersionRequest } from '../../../services/shared/contracts.ts';

/** The contract as Driftloop 0.1 published it. */
const former = avro.Type.forSchema(
  JSON.parse(readFileSync(new URL('0.1.0/model-version.avsc', import.meta.url), 'utf8')),
);
const present = contractType('ModelVersion');

const facts: VersionFacts = {
  model: 'churn',
  version: '4',
  reasons: ['Comparison: passed.'],
  metrics: { challengerLoss: 0.1 },
  championVersion: '3',
  runId: 'run',
  causeType: 'manual',
  causeId: 'cause',
  datasetId: 'rows',
  codeVersion: 'trainer',
  artifactUri: 'file:///model',
  artifactChecksum: 'sha',
  referenceId: 'reference',
  verdict: 'promote',
};

const states = Object.keys(statusOfState) as VersionState[];

/** Returns the record of the version after a step to a state. */
function recordAfter(state: VersionState, sequence: number): ModelVersion {
  const request: VersionRequest = {
    ...{ id: 'r', model: 'churn', action: 'submit', version: '4', time: 7 },
    ...{ expectedChampion: null, requestedBy: 'alice', note: null },
  };
  const step = { sequence, version: '4', stateBefore: null, state, reason: 'It has passed.' };
  const answered = {
    sequence,
    request,
    answeredAtMs: 7,
    accepted: true,
    answer: '',
    steps: [step],
  };
  return recordOfStep(facts, step, answered);
}

/** Reads bytes of one schema as another, as a consumer does with the schema of the registry. */
function read(bytes: Buffer, writer: avro.Type, reader: avro.Type): unknown {
  const written = avro.Type.forSchema(
    JSON.parse(JSON.stringify(writer.schema({ exportAttrs: true }))),
  );
  return reader.fromBuffer(bytes, reader.createResolver(written));
}

describe('model-version.avsc', () => {
  it.each(states)('is read as %s by programs that know the contract of Driftloop 0.1', state => {
    const record = recordAfter(state, 9);
    const { state: _, changedBy, note, requestId, sequence, verdict, ...known } = record;
    expect({ ...(read(present.toBuffer(record), present, former) as object) }).toEqual(known);
  });

  it('reads what Driftloop 0.1 wrote', () => {
    const { state, changedBy, note, requestId, sequence, verdict, ...candidate } = recordOfGates(
      facts,
      'candidate',
      7,
    );
    const bytes = former.toBuffer({ ...candidate, status: 'approved' });
    expect(read(bytes, former, present)).toMatchObject({
      ...candidate,
      status: 'approved',
      state: null,
      sequence: null,
    });
  });

  it('keeps the ids that Driftloop 0.1 gave, and gives states that come again ids of their own', () => {
    // sha256(["model-version","churn","4",status])
    expect(recordOfGates(facts, 'candidate', 7).id).toBe('26b4e26ff66ec50f09043b788bb247ac');
    expect(recordOfGates(facts, 'rejected', 7).id).toBe('053c684fb3bf972b8145a31c3644efa6');
    expect(recordAfter('approved', 9).id).toBe('d6764398f1dc3fa9cb3722caec2efecb');
    expect(recordAfter('champion', 9).id).not.toBe(recordAfter('champion', 12).id);
  });
});
