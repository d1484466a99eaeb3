import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Mixes the files of the projects, each project evenly over the run and its largest files first. So
 * unit tests, which only compute, run beside tests that wait for servers, and seldom two demos with
 * servers of their own beside each other.
 */
export class MixedSequencer extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const places = new Map<TestSpecification, number>();
    for (const own of Map.groupBy(sorted, file => file.project.name).values())
      for (const [index, file] of own.entries()) places.set(file, (index + 0.5) / own.length);
    return sorted.sort((one, other) => places.get(one)! - places.get(other)!);
  }
}
