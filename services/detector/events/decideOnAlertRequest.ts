import type { Alert, AlertRequest } from '../../shared/contracts.ts';

/** What is answered to a request about an alert. */
export interface AlertAnswer {
  accepted: boolean;
  /** The version that the alert is about; empty if no such alert is known. */
  version: string;
  answer: string;
}

/** What a person has done with an alert. */
export interface AlertAct extends Pick<AlertRequest, 'alertId' | 'until' | 'note'> {
  action: Exclude<AlertRequest['action'], 'not_useful'>;
  by: string;
  /** Acts on an alert count in this order. */
  answeredAtMs: number;
}

/**
 * Decides on a request about an alert. An open one can be acknowledged, snoozed and resolved; any
 * can be called of no use.
 * @param alert null if there is no such alert
 * @param nowMs wall clock
 */
export function decideOnAlertRequest(
  { model, action, alertId, until, note, requestedBy }: AlertRequest,
  alert: Alert | null,
  nowMs: number,
): AlertAnswer {
  if (alert === null)
    return {
      accepted: false,
      version: '',
      answer: `No alert ${alertId} of model ${model} is known.`,
    };
  const { version, state, acknowledgedBy, endReason } = alert;
  const what = `Alert ${alertId} of ${model} ${version}`;
  const refused = (why: string) => ({ accepted: false, version, answer: `${what} ${why}` });
  const accepted = (how: string) => ({ accepted: true, version, answer: `${what} ${how}` });
  if (action === 'not_useful') return accepted('is counted as not useful.');
  if (state === 'resolved')
    return refused(
      `is resolved${endReason === null ? '' : ` (${endReason})`}, and only an open one can be changed.`,
    );
  switch (action) {
    case 'acknowledge':
      return acknowledgedBy === null || acknowledgedBy === requestedBy
        ? accepted(`is acknowledged by ${requestedBy}.`)
        : refused(`is acknowledged by ${acknowledgedBy} already; unacknowledge it first.`);
    case 'unacknowledge':
      return acknowledgedBy === null
        ? refused('is not acknowledged.')
        : accepted('is no longer acknowledged.');
    case 'snooze':
      return until !== null && until > nowMs
        ? accepted(`is snoozed until ${new Date(until).toISOString()}, or until it gets worse.`)
        : refused('can be snoozed until a later time only.');
    case 'resolve':
      return note === null || note === ''
        ? refused('can be resolved by a person with a note only.')
        : accepted('is resolved. It comes back with a further drift event, or when it gets worse.');
  }
}
