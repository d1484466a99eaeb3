import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type * as TensorflowModule from '@tensorflow/tfjs';

export type Tensorflow = typeof TensorflowModule;
export type TensorflowBackend = 'tensorflow' | 'wasm';

let loaded: Promise<{ tf: Tensorflow; backend: TensorflowBackend }> | undefined;

/**
 * TensorFlow.js with the fastest backend that is there: the native library of @tensorflow/tfjs-node where somebody installed it
 * (its binary is downloaded at install time, which many machines cannot), else WebAssembly. Their results differ in the last bits.
 */
export function loadTensorflow(): Promise<{ tf: Tensorflow; backend: TensorflowBackend }> {
  loaded ??= loadNative().then(native => native ?? loadWasm());
  return loaded;
}

async function loadNative(): Promise<{ tf: Tensorflow; backend: TensorflowBackend } | null> {
  // A name that the type checker does not resolve: the package is optional.
  const optionalPackage = '@tensorflow/tfjs-node';
  try {
    const module = await import(optionalPackage);
    const tf: Tensorflow = module.default ?? module;
    await tf.ready();
    return { tf, backend: 'tensorflow' };
  } catch {
    // Not installed, or its native library does not load here: WebAssembly does the same, more slowly.
    return null;
  }
}

async function loadWasm(): Promise<{ tf: Tensorflow; backend: TensorflowBackend }> {
  const tf: Tensorflow = await import('@tensorflow/tfjs');
  const wasm = await import('@tensorflow/tfjs-backend-wasm');
  const entry = fileURLToPath(import.meta.resolve('@tensorflow/tfjs-backend-wasm'));
  wasm.setWasmPaths(`${join(dirname(entry))}/`);
  if (!(await tf.setBackend('wasm')))
    throw new Error(`the WebAssembly backend of TensorFlow.js does not start from ${dirname(entry)}`);
  await tf.ready();
  return { tf, backend: 'wasm' };
}
