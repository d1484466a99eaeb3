import type { FamilyName } from '../significance/family.ts';
import { classFamily } from './classFamily.ts';
import { dependenceFamily } from './dependenceFamily.ts';
import { featuresFamily, predictionsFamily } from './distributionFamily.ts';
import { errorFamily } from './errorFamily.ts';
import { labelsFamily } from './labelFamily.ts';
import { labelQualityFamily } from './labelQualityFamily.ts';
import { modelFamily } from './modelFamily.ts';
import { dataQualityFamily, outputQualityFamily } from './qualityFamily.ts';
import type { TestFamily } from './testFamily.ts';
import { vectorsFamily } from './vectorFamily.ts';

/**
 * All families of tests, in the order in which they explain each other. The first one that says
 * "changed" decides on the cause of a drift. Broken inputs explain shifted ones. Shifted inputs
 * explain absurd outputs and errors; changes of single inputs come before changes of their
 * dependence. Labels that lack a class, and outputs that the inputs do not explain, explain errors.
 * Errors or labels that changed while nothing of that did mean a changed concept.
 */
export const families: readonly TestFamily[] = [
  dataQualityFamily,
  featuresFamily,
  vectorsFamily,
  dependenceFamily,
  outputQualityFamily,
  labelQualityFamily,
  modelFamily,
  errorFamily,
  classFamily,
  labelsFamily,
  predictionsFamily,
];

/** Names of the families that test what turned out to be true. All others test what was logged. */
export const truthFamilies: ReadonlySet<FamilyName> = new Set([
  'label_quality',
  'error',
  'class_error',
  'labels',
]);
