import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type * as TensorflowModule from '@tensorflow/tfjs';

export type Tensorflow = typeof TensorflowModule;
/** The engine that computes: the native library, or WebAssembly. */
export type TensorflowBackend = 'tensorflow' | 'wasm';

let loaded: Promise<{ tf: Tensorflow; backend: TensorflowBackend }> | undefined;

/**
 * Loads TensorFlow.js, once per process. It runs on the native library of @tensorflow/tfjs-node if
 * that is installed and works, and otherwise on WebAssembly. (The native library is optional,
 * because it is downloaded at install time, which many machines cannot do.) The results of the two
 * differ in the last bits.
 *
 * @throws Error if WebAssembly does not start either
 */
export function loadTensorflow(): Promise<{ tf: Tensorflow; backend: TensorflowBackend }> {
  loaded ??= loadNative().then(native => native ?? loadWasm());
  return loaded;
}

async function loadNative(): Promise<{ tf: Tensorflow; backend: TensorflowBackend } | null> {
  // In a variable, so that the type checker does not look for the package, which is optional.
  const optionalPackage = '@tensorflow/tfjs-node';
  // Silences greetings on standard error, whose last lines are published if a trainer fails.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  try {
    const module = await import(optionalPackage);
    const tf: Tensorflow = module.default ?? module;
    await tf.ready();
    // On Node 23, without util.isNullOrUndefined, tfjs-node 4.22 fails at the first reduction.
    tf.tidy(() => tf.sum([1, 2]).dataSync());
    return { tf, backend: 'tensorflow' };
  } catch {
    // It is not installed or does not work here, and WebAssembly takes its place.
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
