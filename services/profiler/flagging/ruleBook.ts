import type { ModelSettings } from '../../shared/config/settings.ts';
import type { Flag } from '../../shared/contracts.ts';
import { compileGuardrails, type Guardrails } from '../../shared/guardrails/guardrail.ts';
import type { LoggedPrediction } from '../../shared/profile/features.ts';
import type { Notice } from '../../shared/service/notice.ts';
import { type VersionName, versionKey } from '../../shared/versionKey.ts';

/** How many predictions of a version the rules of its model have seen. */
interface SeenByRules {
  firstTimeMs: number;
  predictions: number;
  /** For each rule, those that had no value for it. */
  withoutValue: Uint32Array;
  /** Rules of which was told that they have no values. */
  told: string | null;
}

/** Fewer predictions may well have a feature missing by chance. */
const minPredictions = 1_000;

/** Checks predictions against the guardrails of their models. */
export class RuleBook {
  readonly #compiled = new Map<ModelSettings['guardrails'], Guardrails>();
  /** By version, for models with rules alone. */
  readonly #seen = new Map<string, SeenByRules>();

  /** Returns one flag for each rule that a prediction breaks. */
  flags(prediction: LoggedPrediction, { guardrails }: Pick<ModelSettings, 'guardrails'>): Flag[] {
    if (guardrails.length === 0) return [];
    const { id, model, version, time } = prediction;
    const seen = this.#seenOf(prediction, guardrails.length);
    seen.predictions++;
    const flags: Flag[] = [];
    for (const [index, finding] of this.#rulesOf(guardrails).check(prediction).entries()) {
      if (finding === 'unknown') seen.withoutValue[index]!++;
      if (typeof finding === 'object') flags.push({ id, model, version, time, ...finding });
    }
    return flags;
  }

  /**
   * Returns a notice for each rule that no prediction of a version had a value for, as a misspelled
   * feature has none; null while too few have come, and as long as nothing changes.
   */
  notices(
    name: VersionName,
    { guardrails }: Pick<ModelSettings, 'guardrails'>,
  ): readonly Notice[] | null {
    const seen = this.#seen.get(versionKey(name));
    if (!seen || seen.predictions < minPredictions) return null;
    const idle = guardrails.filter((_, index) => seen.withoutValue[index] === seen.predictions);
    const told = idle.map(rule => rule.name).join();
    if (told === seen.told) return null;
    seen.told = told;
    return idle.map(({ name: rule, feature, output, when }) => ({
      code: 'guardrail-without-values',
      subject: rule,
      sinceMs: seen.firstTimeMs,
      message: `The guardrail ${rule} had no value to check in any prediction.`,
      evidence:
        `None of ${seen.predictions.toLocaleString('en')} predictions of a partition had ` +
        `${when === undefined ? `a ${feature ?? output}` : `all values of ${when}`}.`,
      advice: 'Check the spelling of the feature in the settings, or remove the rule.',
    }));
  }

  clear(): void {
    this.#seen.clear();
  }

  #rulesOf(guardrails: ModelSettings['guardrails']): Guardrails {
    let compiled = this.#compiled.get(guardrails);
    if (!compiled) {
      compiled = compileGuardrails(guardrails);
      this.#compiled.set(guardrails, compiled);
    }
    return compiled;
  }

  #seenOf({ model, version, time }: LoggedPrediction, rules: number): SeenByRules {
    const key = versionKey({ model, version });
    let seen = this.#seen.get(key);
    if (!seen) {
      const withoutValue = new Uint32Array(rules);
      seen = { firstTimeMs: time, predictions: 0, withoutValue, told: null };
      this.#seen.set(key, seen);
    }
    return seen;
  }
}
