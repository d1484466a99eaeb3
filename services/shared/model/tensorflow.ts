import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type * as TensorflowModule from '@tensorflow/tfjs';

export type Tensorflow = typeof TensorflowModule;
export type TensorflowBackend = 'tensorflow' | 'wasm';

let loaded: Promise<{ tf: Tensorflow; backend: TensorflowBackend }> | undefined;

/**
 * TensorFlow.js on the native library of @tensorflow/tfjs-node where somebody installed it (its binary is downloaded at install time,
 * which many machines cannot) and it works, else on WebAssembly. Their results differ in the last bits.
 */
export function loadTensorflow(): Promise<{ tf: Tensorflow; backend: TensorflowBackend }> {
  loaded ??= loadNative().then(native => native ?? loadWasm());
  return loaded;
}

async function loadNative(): Promise<{ tf: Tensorflow; backend: TensorflowBackend } | null> {
  // A name that the type checker does not resolve: the package is optional.
  const optionalPackage = '@tensorflow/tfjs-node';
  // The library greets on standard error, where the last lines of a trainer that fails become the published reason.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  try {
    const module = await import(optionalPackage);
    const tf: Tensorflow = module.default ?? module;
    await tf.ready();
    // Node 23 removed util.isNullOrUndefined, which tfjs-node 4.22 calls: it loads there, and fails at the first reduction.
    tf.tidy(() => tf.sum([1, 2]).dataSync());
    return { tf, backend: 'tensorflow' };
  } catch {
    // Not installed, or it does not work here: WebAssembly does the same.
    return null;
  }
}

async function loadWasm(): Promise<{ tf: Tensorflow; backend: TensorflowBackend }> {
  const tf: Tensorflow = await import('@tensorflow/tfjs');
  const wasm = await import('@tensorflow/tfjs-backend-wasm');
  const entry = fileURLToPath(import.meta.resolve('@tensorflow/tfjs-backend-wasm'));
  wasm.setWasmPaths(`${join(dirname(entry))}/`);
  if (!(await tf.setBackend('wasm')))
    throw new Error(
      `the WebAssembly backend of TensorFlow.js does not start from ${dirname(entry)}`,
    );
  await tf.ready();
  return { tf, backend: 'wasm' };
}
