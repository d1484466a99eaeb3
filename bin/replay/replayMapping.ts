import type { InputKind, InputMapping } from '../../services/shared/config/inputs.ts';
import { readMappings, readSettings } from '../../services/shared/config/settings.ts';
import { UserError } from '../../services/shared/userError.ts';

/**
 * Returns how the records of a replayed file are mapped: by the file of `--mapping`, or by the
 * setting `inputs`. null: they are records of the contract.
 * @throws UserError if there are several ways for one kind
 */
export function replayMapping(
  kind: InputKind,
  { mapping, config }: { mapping?: string; config?: string },
): InputMapping | null {
  const all = mapping === undefined ? readSettings(config).inputs : readMappings(mapping);
  const ofKind = all.filter(one => one.kind === kind);
  if (ofKind.length <= 1) return ofKind[0] ?? null;
  throw new UserError(
    mapping === undefined
      ? `${config}: inputs: has ${ofKind.length} entries of the kind ${kind}; ` +
          'name a file with one of them by --mapping'
      : `${mapping}: inputs: has ${ofKind.length} entries of the kind ${kind}, expected one`,
  );
}
