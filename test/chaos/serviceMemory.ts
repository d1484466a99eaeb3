import type { ServiceProcess } from '../../infra/local/processes/serviceProcesses.ts';

export interface ServiceMemory {
  service: string;
  heapMb: number;
  residentMb: number;
}

const mostHeapMb = 200;
const mostResidentMb = 512;
const bytesPerMb = 1024 ** 2;

/** What the metrics of processes say of their memory. */
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

export function tooMuchMemory({ service, heapMb, residentMb }: ServiceMemory): string[] {
  if (heapMb <= mostHeapMb && residentMb <= mostResidentMb) return [];
  return [
    `memory: ${service} ends with a heap of ${heapMb} MB and ${residentMb} MB resident, at most ${mostHeapMb} and ${mostResidentMb} are sane`,
  ];
}
