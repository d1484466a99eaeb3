/**
 * Asks the ONNX model that a trainer has left for its answers to all rows, and writes them as a
 * trainer writes its predictions. It is a process of its own, because a model may compute for long
 * or need much memory, and because the runtime (WebAssembly) is loaded only here.
 *
 *   node services/retrainer/trainer/askOnnxModel.ts FOLDER
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { env, InferenceSession, Tensor } from 'onnxruntime-web/wasm';
import { chunk } from '../../shared/chunk.ts';
import { readDataset } from '../dataset/dataset.ts';
import { type OnnxTensor, onnxAnswers, onnxFile, onnxInputs } from './onnxContract.ts';
import {
  computedFile,
  datasetFile,
  modelFolderName,
  outputFolderName,
  readTask,
} from './trainerContract.ts';

const rowsAtOnce = 1_000;

// The retrainer holds standard input open. When it ends, nobody waits for the answers any more.
process.stdin.on('end', () => process.exit(1)).resume();

async function ask(folder: string): Promise<void> {
  const task = await readTask(folder);
  const rows = await readDataset(join(folder, datasetFile));
  const output = join(folder, outputFolderName);
  // Threads would need a browser's workers.
  env.wasm.numThreads = 1;
  env.logLevel = 'error';
  const session = await InferenceSession.create(
    await readFile(join(output, modelFolderName, onnxFile)),
  );
  const inputs = session.inputMetadata.map(input => {
    if (!input.isTensor) throw new Error(`the model has input ${input.name}, which is no tensor`);
    return { name: input.name, type: input.type };
  });
  const lines: string[] = [];
  for (const part of chunk(rows, rowsAtOnce)) {
    const given = onnxInputs(inputs, task.features, part);
    const feeds = Object.fromEntries(
      Object.entries(given).map(([name, { type, data, dims }]) => [
        name,
        new Tensor(type as 'float32', data as Float32Array, [...dims]),
      ]),
    );
    const found = await session.run(feeds);
    const outputs = session.outputNames.map(name => found[name] as unknown as OnnxTensor);
    for (const answer of onnxAnswers(outputs, task, part.length))
      lines.push(`${JSON.stringify({ row: lines.length, ...answer })}\n`);
    await nextTurn();
  }
  await writeFile(join(output, computedFile), lines.join(''));
}

try {
  await ask(process.argv[2]!);
} catch (error) {
  // The last lines become part of the published reason, so they should be readable.
  console.error((error as Error).message);
  process.exit(1);
}
process.exit(0);
