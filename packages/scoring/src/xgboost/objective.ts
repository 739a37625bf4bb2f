/**
 * What each objective of XGBoost does to a margin when it predicts, and to `base_score` before it is the first term of
 * the margin. Source: dmlc/xgboost 3.2 `src/objective/*.cu`, PredTransform and ProbToMargin.
 */

/** `class`: the index of the greatest margin. `hinge`: 1 above 0, else 0. `softmax`: over the groups of a row. */
export type PredictionTransform = 'identity' | 'sigmoid' | 'exp' | 'hinge' | 'softmax' | 'class'

/** From the stored base score to the margin. */
export type BaseScoreLink = 'identity' | 'logit' | 'log'

export interface Objective {
  readonly name: string
  readonly transform: PredictionTransform
  readonly link: BaseScoreLink
}

const byTransform: readonly (readonly [PredictionTransform, BaseScoreLink, readonly string[]])[] = [
  ['sigmoid', 'logit', ['binary:logistic', 'reg:logistic']],
  ['exp', 'log', ['count:poisson', 'reg:gamma', 'reg:tweedie', 'survival:cox', 'survival:aft']],
  ['hinge', 'identity', ['binary:hinge']],
  ['softmax', 'identity', ['multi:softprob']],
  ['class', 'identity', ['multi:softmax']],
  [
    'identity',
    'identity',
    [
      'binary:logitraw',
      'rank:map',
      'rank:ndcg',
      'rank:pairwise',
      'reg:absoluteerror',
      'reg:linear',
      'reg:pseudohubererror',
      'reg:quantileerror',
      'reg:squarederror',
      'reg:squaredlogerror',
    ],
  ],
]

const objectives: ReadonlyMap<string, Objective> = new Map(
  byTransform.flatMap(([transform, link, names]) => names.map((name) => [name, { name, transform, link }] as const)),
)

/** Names of all objectives that can be read, sorted. */
export const objectiveNames: readonly string[] = [...objectives.keys()].sort()

/** Returns the objective, or `null` where it is unknown. */
export function objectiveOf(name: string): Objective | null {
  return objectives.get(name) ?? null
}
