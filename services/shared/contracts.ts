// Generated from schemas/*.avsc by `npm run generate`; do not edit.

/** A person says something about an alert. The detector answers each request once. Topic: alert-requests. */
export interface AlertRequest {
  /** One answer per id and model. */
  id: string;
  model: string;
  /** acknowledge: the person has it. snooze: nobody is told until a time, or until it gets worse. resolve: it ends, and comes back only with something new. not_useful: counted, and changes nothing. */
  action: 'acknowledge' | 'unacknowledge' | 'snooze' | 'resolve' | 'not_useful';
  alertId: string;
  /** Wall clock until which it is snoozed; null for other actions. */
  until: number | null;
  requestedBy: string;
  /** Why; required to resolve. */
  note: string | null;
  time: number;
}

/** The operational life of one or more drift events of a model version. Topic: alerts. */
export interface Alert {
  id: string;
  revision: number;
  state: 'opened' | 'updated' | 'resolved';
  model: string;
  version: string;
  severity: 'warning' | 'critical';
  /** One line for a pager. */
  title: string;
  /** What is odd in how the version is logged, which may be the reason of the alert: its first open notice, and how many more there are. */
  notice: string | null;
  driftEventIds: string[];
  openedAtEventTime: number;
  updatedAtEventTime: number;
  /** How often it was published again because a drift event persists: 1, 3, 7, 15 ... days of event time after its level became stable. Null in alerts of version 0.1. */
  reminders: number | null;
  /** What made this revision: opened, another-event, another-cause, escalated (a higher severity), persists, reminder, resolved, or what a person did: acknowledged, unacknowledged, snoozed. Null in alerts of version 0.1. */
  happened: string | null;
  /** The person who has it; null if nobody has. A higher severity asks again. */
  acknowledgedBy: string | null;
  /** Wall clock until which nobody is to be told; null if it is not snoozed. A higher severity ends it. */
  snoozedUntil: number | null;
  /** What the person said who acted last. */
  note: string | null;
  /** Why it was resolved: the endReason of its last drift event (recovered, mended, version_replaced, accepted, covered), withdrawn, or person. Null while it is open. */
  endReason: string | null;
  /** When the last request of a person that it shows was answered; null if there was none. */
  actedAt: number | null;
}

/** A value of a feature, of an output or of the labels that is new or gone. */
export interface ChangedValue {
  kind: 'feature' | 'output' | 'label';
  /** The feature or output; label for labels. */
  name: string;
  /** A category, a class, or a number as text. */
  value: string;
  /** Share of the records, or of the labels, since it is new or gone. 0 if it is gone. */
  share: number;
  /** The same in the reference. 0 if it is new. */
  referenceShare: number;
  /** The value that seems to have had this name before: it lost as much as the new one has. */
  renamedFrom: string | null;
}

/** The decision that something changed, with its cause. One per drift: the same id with a higher revision corrects, continues or ends it. Topic: drift-events. */
export interface DriftEvent {
  /** Deterministic: the same stream gives the same ids. */
  id: string;
  revision: number;
  /** withdrawn: late data showed that it was not so. */
  status: 'open' | 'closed' | 'withdrawn';
  model: string;
  version: string;
  /** name=value, or empty for all predictions. */
  segment: string;
  /** The feature or output that changed most, where one did. */
  feature: string | null;
  cause: 'data_quality' | 'data_drift' | 'prediction_drift' | 'concept_drift' | 'code_change';
  severity: 'warning' | 'critical';
  /** Start of the window in which it was found. */
  windowStart: number;
  windowEnd: number;
  /** The metric that decided. */
  metric: string;
  value: number;
  threshold: number;
  pValue: number | null;
  /** Predictions (or labelled predictions) behind the value. */
  records: number;
  /** Number of windows that were pooled for the value: 1, 2, 4 or 8, and for days and weeks the number of their windows times that. Null in events of version 0.1. */
  scale: number | null;
  /** Start of the window whose row of drift_metrics has this metric, value, threshold and scale. It is later than windowStart when later windows said more. Null in events of version 0.1. */
  evidenceWindowStart: number | null;
  /** What the window was compared with: training, upload or bootstrap. */
  reference: string;
  /** Share of each changed feature in the shift; they sum to 1. */
  contributions: Record<string, number>;
  /** By how much each changed feature is expected to move the mean output: the score, without scores the prediction, of classes the share of the most frequent one. Empty where the reference does not tell. */
  predictionContributions: Record<string, number>;
  /** Values that are new or gone, as far as their names are known. Null if there are none, and in events of version 0.1. */
  changedValues: ChangedValue[] | null;
  /** What changed, by how much, since when, and what to do, for a person; the numbers follow. */
  explanation: string;
  /** End of the window that fired. */
  detectedAtEventTime: number;
  /** Event time since which the new level is stable. The event stays open until its harm is over. Null while the change is followed, and in events of version 0.1. */
  persistingSince: number | null;
  /** Why it is over. recovered: the harm is gone; mended: the version that serves now is within reach of the quality of before; version_replaced: the version no longer serves; accepted: by a person, or because nothing depends on it; covered: earlier drifts of the stream are open, and no more than 8 are kept; withdrawn: late data showed that it was not so. Null while it is open, and in events of version 0.1. */
  endReason:
    | 'recovered'
    | 'mended'
    | 'version_replaced'
    | 'accepted'
    | 'covered'
    | 'withdrawn'
    | null;
  /** The person who accepted it, or the version that serves now. Null if the stream itself shows it. */
  endedBy: string | null;
  /** Event time of the end. */
  endedAt: number | null;
  /** What is known of its harm, or what ended it, as a sentence. Null while the change is followed. */
  standing: string | null;
}

/** A person says something about a drift event. The detector answers each request once. Topic: drift-requests. */
export interface DriftRequest {
  /** One answer per id and model. */
  id: string;
  model: string;
  /** accept: the level since the drift is the new normal. */
  action: 'accept';
  driftEventId: string;
  /** Event time up to which the person had seen the verdicts; the drift ends there. Null: the end of the newest judged window. */
  seenUntil: number | null;
  requestedBy: string;
  /** Why. */
  note: string;
  time: number;
}

/** What turned out to be true for a prediction. Late, repeated and corrected feedback is welcome: the later time wins. Topic: feedback. */
export interface Feedback {
  /** Id of the prediction. */
  id: string;
  /** The true class or number. */
  label: boolean | number | string;
  /** When the label was observed, ms since the epoch. In JSON also ISO 8601. */
  time: number;
  /** Name of the model, where ids are not unique across models. */
  model: string | null;
  /** What the outcome was worth to the business. */
  value: number | null;
}

/** The fields that a Feedback may leave out, as they are then read. */
export const feedbackDefaults = {
  model: null,
  value: null,
} satisfies Partial<Feedback>;

/** A prediction breaks a guardrail of its model, so that a consumer can stop harm. Topic: flags. It may come again after a restart: id and rule name it. */
export interface Flag {
  /** Id of the prediction; the key of the record. */
  id: string;
  /** Name of the model. */
  model: string;
  /** Version of the model. */
  version: string;
  /** Event time of the prediction. */
  time: number;
  /** Name of the guardrail in the settings. */
  rule: string;
  /** The feature or output that the rule is about; empty for a condition. */
  subject: string;
  /** The value that was found, as text, at most 200 characters; empty if it is missing, and for a condition. */
  value: string;
  /** What is wrong, in one sentence. */
  message: string;
}

/** Which version an alias of a model names. Compacted, keyed by model:alias. Topic: model-aliases. */
export interface ModelAlias {
  /** Deterministic: model, alias and sequence. */
  id: string;
  model: string;
  /** champion: the version to serve; challenger: the newest one in shadow or waiting for approval; previous: the one that a rollback returns to. */
  alias: 'champion' | 'challenger' | 'previous';
  /** Null if there is none now. */
  version: string | null;
  /** Folder of the model, file://... Null for a version that the retrainer did not make. */
  artifactUri: string | null;
  /** SHA-256 over the files of the folder. */
  artifactChecksum: string | null;
  /** Number of the request that moved the alias, among those of the model. A record with a lower one than was seen before is out of date. */
  sequence: number;
  /** VersionRequest.id */
  requestId: string;
  /** Who or what moved it. */
  changedBy: string;
  /** Why. */
  note: string | null;
  time: number;
}

/** The state of one version of a model. Compacted, keyed by model:version. The last approved record of a model is its champion. Topic: model-versions. */
export interface ModelVersion {
  /** Deterministic: model, version and state; of a state that may come again also the sequence. */
  id: string;
  model: string;
  version: string;
  /** Whether it may be served: not yet, yes, or no. The field state says more. */
  status: 'candidate' | 'approved' | 'rejected';
  /** Why, gate by gate. */
  reasons: string[];
  /** Figures on the gate rows: championLoss, challengerLoss, difference, intervalLow, intervalHigh, gateRows ... */
  metrics: Record<string, number>;
  /** The version that it was compared with. */
  championVersion: string | null;
  /** training_runs.id */
  runId: string;
  causeType: 'drift_event' | 'schedule' | 'manual';
  /** Id of the drift event or of the retrain request. */
  causeId: string;
  /** datasets.id: hash of the frozen rows. */
  datasetId: string;
  /** Version of the trainer. */
  codeVersion: string;
  /** Folder of the model, file://... */
  artifactUri: string;
  /** SHA-256 over the files of the folder. */
  artifactChecksum: string;
  /** reference_profiles.reference_id: the profile of the training data. */
  referenceId: string;
  /** When it came to this state. */
  time: number;
  /** Where it stands in its life. Null in records of Driftloop 0.1. */
  state:
    | 'candidate'
    | 'shadow'
    | 'waiting_for_approval'
    | 'approved'
    | 'champion'
    | 'superseded'
    | 'rolled_back'
    | 'rejected'
    | 'retired'
    | null;
  /** Who or what brought it to this state. */
  changedBy: string | null;
  /** Why. */
  note: string | null;
  /** VersionRequest.id: the request that brought it to this state. Null before the first one. */
  requestId: string | null;
  /** Number of that request among those of the model. */
  sequence: number | null;
  /** What the gates said: promote, reject, inconclusive or not_evaluable. Null in earlier records. */
  verdict: string | null;
}

/** What is odd in how a model version is logged, for whoever logs it. Topic: notices, compacted. */
export interface Notice {
  /** Deterministic: one per model version, code and subject. */
  id: string;
  /** closed: what it says holds no longer. */
  status: 'open' | 'closed';
  /** Empty for records of a topic of which no model could be read. */
  model: string;
  /** Empty for all versions of the model. */
  version: string;
  /** Kind of the notice, such as score-disagrees-with-predictions; docs/operators.md lists them. */
  code: string;
  /** The feature, the class or the kind of refused records that it is about; empty for the whole version. */
  subject: string;
  /** Event time from which it holds; of refused records the time in Kafka of the first of the newest ones. */
  since: number;
  /** What is odd, in one sentence. */
  message: string;
  /** The numbers behind it, with an example, as they were when it opened or its message changed. */
  evidence: string;
  /** What to do, in one sentence. */
  advice: string;
}

/** What predictions, labels and scores of a model version mean, decided from its first labelled predictions. Topic: output-meanings, compacted. */
export interface OutputMeaning {
  model: string;
  version: string;
  task: 'binary' | 'multiclass' | 'regression';
  /** Binary: the class that precision, recall and figures of scores are about. */
  positiveLabel: string | null;
  /** What the field prediction holds. */
  predictionIs: 'class' | 'number' | 'probability' | 'score';
  /** What the score is about: the class scoreOf, or whatever class was predicted. */
  scoreIs: 'class' | 'confidence';
  /** Binary: the class whose probability the score, or the prediction, is. */
  scoreOf: string | null;
  /** false: scores lie outside 0 to 1, so that they only rank the records. */
  scoresAreProbabilities: boolean;
  /** Probability or score from which on scoreOf is predicted, where predictions are no classes. */
  threshold: number | null;
  /** The known classes, each with the texts that were seen of it; empty for a regression. */
  classes: Record<string, string[]>;
  /** false: no prediction can be compared with a label. */
  comparable: boolean;
  /** Why it was decided so, one sentence per decision. */
  evidence: string[];
  /** How scores, predictions and settings contradict each other. */
  disagreement: string | null;
  /** Labelled predictions that it was decided from. */
  records: number;
  /** Event time of the first of them. */
  decidedFrom: number;
  /** Event time of the last of them; null while they are too few, so that later ones count as well. */
  decidedUntil: number | null;
}

/** One logged output of a model. Topic: predictions. */
export interface Prediction {
  /** Unique within the model. Feedback refers to it; a repeated id is a retry and counts once. */
  id: string;
  /** Name of the model. The first prediction that names it starts its monitoring. */
  model: string;
  /** Version of the model. Every version has its own clock, windows and reference. */
  version: string;
  /** Event time: when the prediction was made, ms since the epoch. In JSON also ISO 8601. */
  time: number;
  /** Inputs by name; null is a missing value, an array of numbers a vector such as an embedding. */
  features: Record<string, boolean | number | string | number[] | null>;
  /** The output: a class or a number. */
  prediction: boolean | number | string;
  /** Binary models: the probability of the positive class. */
  score: number | null;
  /** Probability per class. */
  probabilities: Record<string, number> | null;
  /** Groups the prediction belongs to, by name, such as country: DE. */
  segment: Record<string, string> | null;
  /** Version of the code that computed the features and served the model. */
  codeVersion: string | null;
  /** Time the model took, in ms. */
  latencyMs: number | null;
  /** How much the record counts in figures of quality, above 0; null is 1. */
  weight: number | null;
  /** Share of the traffic that was logged, above 0 and at most 1: the record stands for 1 / rate predictions; null is 1. */
  samplingRate: number | null;
  /** Regressions: predicted quantiles by their level between 0 and 1, such as 0.1. */
  quantiles: Record<string, number> | null;
  /** Classes or items, the best first, at most 100. */
  ranking: string[] | null;
  /** True: the version only would have answered so, and another one has served the id. Shadow predictions have no windows and are compared with those that served; null is false. */
  shadow: boolean | null;
}

/** The fields that a Prediction may leave out, as they are then read. */
export const predictionDefaults = {
  score: null,
  probabilities: null,
  segment: null,
  codeVersion: null,
  latencyMs: null,
  weight: null,
  samplingRate: null,
  quantiles: null,
  ranking: null,
  shadow: null,
} satisfies Partial<Prediction>;

/** A person or a schedule asks for a new version. Topic: retrain-requests. */
export interface RetrainRequest {
  /** One run at most per id. */
  id: string;
  model: string;
  reason: 'schedule' | 'manual';
  requestedBy: string;
  time: number;
}

/** A person or the retrainer asks for a change of a version's state. The retrainer answers each request once, in the order of the topic. Topic: version-requests. */
export interface VersionRequest {
  /** One answer per id and model. */
  id: string;
  model: string;
  /** submit: a version has passed the gates; adopt: take over what Driftloop 0.1 has approved. Both are sent by the retrainer. */
  action: 'submit' | 'adopt' | 'approve' | 'reject' | 'rollback' | 'retire';
  /** The version that it is about. Of a rollback: the version to go back to; null is the alias previous. */
  version: string | null;
  /** The champion that the person saw. If another version is the champion by then, the request is refused. */
  expectedChampion: string | null;
  requestedBy: string;
  /** Why. */
  note: string | null;
  time: number;
}

/** Rows of these windows are in ClickHouse. Keyed by model. Topic: windows (internal). */
export interface WindowUpdate {
  /** profile: by the profiler; performance: by the evaluator; reference: a new reference of the version is there; end: no more predictions will come for this version (a replay that is over). */
  kind: 'profile' | 'performance' | 'reference' | 'end';
  model: string;
  version: string;
  /** Partition of predictions that the update speaks of; -1 for the other kinds. */
  sourcePartition: number;
  /** profile: highest event time seen in this partition minus the setting outOfOrderness. */
  watermark: number | null;
  windowSizeMs: number;
  /** Starts of the windows whose rows changed. */
  windowStarts: number[];
}
