import type { ServiceProcess } from '../../infra/local/processes/serviceProcesses.ts';

export interface ServiceMemory {
  service: string;
  heapMb: number;
  residentMb: number;
}

const maxHeapMb = 200;
const maxResidentMb = 512;
const bytesPerMb = 1024 ** 2;

/** Reads the memory of processes from their metrics. */
export async function memoryOf(processes: readonly ServiceProcess[]): Promise<ServiceMemory[]> {
  return Promise.all(
    processes.map(async ({ name, healthUrl }) => {
      const metrics = await (await fetch(`${healthUrl}/metrics`)).text();
      const megabytes = (metric: string) =>
        Math.round(
          Number(new RegExp(`^${metric}\\{[^}]*\\} (.*)$`, 'm').exec(metrics)![1]) / bytesPerMb,
        );
      return {
        service: name,
        heapMb: megabytes('nodejs_heap_size_used_bytes'),
        residentMb: megabytes('process_resident_memory_bytes'),
      };
    }),
  );
}

/** Returns a line if a process uses more memory than it should. */
export function tooMuchMemory({ service, heapMb, residentMb }: ServiceMemory): string[] {
  if (heapMb <= maxHeapMb && residentMb <= maxResidentMb) return [];
  return [
    `memory: ${service} ends with a heap of ${heapMb} MB (limit ${maxHeapMb}) and ${residentMb} MB resident (limit ${maxResidentMb})`,
  ];
}
