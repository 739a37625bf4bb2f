import { limits } from '@millwright/core'
import { ModelFileError } from '../model-file/model-file-error.ts'
import { openModelFile } from '../model-file/open-model-file.ts'
import type { ValueReader } from '../model-file/value-reader.ts'
import { assembleForest } from './assemble-forest.ts'
import { linkBaseScore, parseBaseScore } from './base-margin.ts'
import { readCount, readFields } from './fields.ts'
import type { TreeModel, XgboostModel } from './model.ts'
import { type Objective, objectiveNames, objectiveOf } from './objective.ts'
import { type RawBooster, readBooster } from './read-booster.ts'

/** Oldest and newest versions whose files are read. A later major version may mean something else by the same fields. */
const versionMin = [1, 7] as const
const majorVersionMax = 3

interface ModelParameters {
  baseScore: string
  featureCount: number
  classCount: number
  targetCount: number
  /** Whether `base_score` waits to be fitted to the first round's labels. */
  boostFromAverage: boolean
}

interface Learner {
  booster: RawBooster | null
  parameters: ModelParameters
  objectiveName: string
  featureNames: string[]
  bestIteration: number | null
}

/**
 * Reads a model that XGBoost 1.7 to 3.x saved as `.json` or `.ubj`.
 *
 * Memory stays within about five times the length of the file. What is returned is sound: every number in it is in range,
 * every tree is a tree.
 *
 * @throws {ModelFileError} When it is something else, cut off, damaged, hostile, beyond a limit, or of a booster, objective
 * or version that is not supported.
 */
export function readXgboostModel(bytes: Uint8Array): XgboostModel {
  const reader = openModelFile(bytes)
  let learner: Learner | null = null
  let version: [number, number, number] | null = null
  readFields(
    reader,
    {
      version: () => {
        version = readVersion(reader)
      },
      learner: () => {
        learner = readLearner(reader)
      },
    },
    [],
  )
  reader.end()
  if (learner === null) throw new ModelFileError('not-xgboost', 'no "learner": it is not a model saved by XGBoost')
  if (version === null) throw new ModelFileError('field-missing', 'no "version"')
  return buildModel(learner, version)
}

function readVersion(reader: ValueReader): [number, number, number] {
  const parts = [...reader.integers(3)]
  const [major = 0, minor = 0, patch = 0] = parts
  const tooOld = major < versionMin[0] || (major === versionMin[0] && minor < versionMin[1])
  if (tooOld || major > majorVersionMax)
    throw new ModelFileError(
      'version-unsupported',
      `saved by XGBoost ${parts.join('.')}; versions ${versionMin.join('.')} to ${majorVersionMax}.x are read`,
      'version',
    )
  return [major, minor, patch]
}

function readLearner(reader: ValueReader): Learner {
  const learner: Learner = {
    booster: null,
    parameters: { baseScore: '', featureCount: 0, classCount: 0, targetCount: 1, boostFromAverage: true },
    objectiveName: '',
    featureNames: [],
    bestIteration: null,
  }
  readFields(
    reader,
    {
      gradient_booster: () => {
        learner.booster = readBooster(reader)
      },
      learner_model_param: () => readParameters(reader, learner.parameters),
      objective: () => {
        const name = () => {
          learner.objectiveName = reader.string()
        }
        readFields(reader, { name }, ['name'])
      },
      feature_names: () => {
        reader.array((index) => {
          if (index === limits.modelFeaturesMax)
            throw new ModelFileError('too-many', `more than ${limits.modelFeaturesMax} feature names`, reader.where)
          learner.featureNames.push(reader.string())
        })
      },
      attributes: () => {
        readFields(
          reader,
          {
            best_iteration: () => {
              // An attribute is free text, and 1.7 writes -1 where no round was trained.
              const text = reader.string()
              learner.bestIteration = /^\d{1,9}$/.test(text) ? Number(text) : null
            },
          },
          [],
        )
      },
    },
    ['gradient_booster', 'learner_model_param', 'objective'],
  )
  return learner
}

function readParameters(reader: ValueReader, parameters: ModelParameters): void {
  readFields(
    reader,
    {
      base_score: () => {
        parameters.baseScore = reader.string()
      },
      num_feature: () => {
        parameters.featureCount = readCount(reader, limits.modelFeaturesMax)
      },
      num_class: () => {
        parameters.classCount = readCount(reader, limits.outputGroupsMax)
      },
      num_target: () => {
        parameters.targetCount = readCount(reader, limits.outputGroupsMax)
      },
      boost_from_average: () => {
        parameters.boostFromAverage = readCount(reader, 1) === 1
      },
    },
    ['base_score', 'num_feature', 'num_class'],
  )
}

function buildModel(learner: Learner, version: [number, number, number]): XgboostModel {
  const booster = learner.booster as RawBooster
  const { featureCount, classCount, targetCount } = learner.parameters
  const where = 'learner.learner_model_param'
  const objective = objectiveOf(learner.objectiveName)
  if (objective === null)
    throw new ModelFileError(
      'objective-unsupported',
      `found "${learner.objectiveName.slice(0, 60)}", wanted one of ${objectiveNames.join(', ')}`,
      'learner.objective',
    )
  if (featureCount === 0) throw new ModelFileError('count-differs', 'a model of no feature', where)
  if (classCount > 1 && targetCount > 1)
    throw new ModelFileError('count-differs', `${classCount} classes and ${targetCount} targets at once`, where)
  if (objective.transform === 'softmax' || objective.transform === 'class')
    if (classCount < 1) throw new ModelFileError('count-differs', `${objective.name} with num_class 0`, where)
  const names = learner.featureNames
  if (names.length > 0 && names.length !== featureCount)
    throw new ModelFileError('count-differs', `${names.length} feature names for ${featureCount} features`, 'learner')
  const groupCount = Math.max(classCount, targetCount, 1)
  const base = {
    version,
    objective,
    featureCount,
    groupCount,
    baseMargins: baseMarginsOf(learner, booster, version, objective, groupCount),
    featureNames: names.length === 0 ? null : names,
    bestIteration: learner.bestIteration,
  }
  if (booster.name !== 'gblinear') return { ...base, ...treeParts(booster, booster.name, featureCount, groupCount) }
  return { ...base, kind: 'linear', booster: 'gblinear', weights: linearWeights(booster, featureCount, groupCount) }
}

function baseMarginsOf(
  learner: Learner,
  booster: RawBooster,
  version: readonly [number, number, number],
  objective: Objective,
  groupCount: number,
): Float32Array {
  const where = 'learner.learner_model_param.base_score'
  const scores = parseBaseScore(learner.parameters.baseScore, groupCount, where)
  // From 3.1 on, XGBoost takes the score of a model that was never fitted for a dummy, and does not apply the link to it.
  const knowsDummy = version[0] > 3 || (version[0] === 3 && version[1] >= 1)
  const fitted = booster.roundCount > 0 || !learner.parameters.boostFromAverage || !knowsDummy
  const link = fitted ? objective.link : 'identity'
  return Float32Array.from({ length: groupCount }, (_, group) => {
    // The linear booster takes the first score for all groups: dmlc/xgboost `src/gbm/gblinear.cc`, PredictBatchInternal.
    const score = scores[scores.length === 1 || booster.name === 'gblinear' ? 0 : group] as number
    const margin = linkBaseScore(score, link)
    if (!Number.isFinite(margin))
      throw new ModelFileError('base-score-invalid', `${score} has no finite margin for ${objective.name}`, where)
    return margin
  })
}

function treeParts(
  booster: RawBooster,
  name: 'gbtree' | 'dart',
  featureCount: number,
  groupCount: number,
): Pick<TreeModel, 'kind' | 'booster' | 'forest' | 'cover' | 'treeWeights' | 'iterationStarts'> {
  const { trees, groups, treeWeights, iterationStarts } = booster
  const pathOf = (tree: number): string => `learner.gradient_booster.model.trees[${tree}]`
  const vectors = trees.some((tree) => tree.leafVectors !== null)
  trees.forEach((tree, index) => {
    if ((groups[index] as number) < 0 || (groups[index] as number) >= groupCount)
      throw new ModelFileError('group-out-of-range', `group ${groups[index]} of ${groupCount}`, pathOf(index))
    if (vectors && tree.leafSize !== groupCount)
      throw new ModelFileError(
        'count-differs',
        `leaves of ${tree.leafSize} values, ${groupCount} outputs`,
        pathOf(index),
      )
    tree.feature.forEach((feature, node) => {
      if (tree.left[node] !== -1 && (feature < 0 || feature >= featureCount))
        throw new ModelFileError('feature-out-of-range', `feature ${feature} of ${featureCount}`, pathOf(index))
    })
  })
  const { forest, cover } = assembleForest(trees, { featureCount, groupCount, groups })
  return { kind: 'trees', booster: name, forest, cover, treeWeights, iterationStarts }
}

function linearWeights(booster: RawBooster, featureCount: number, groupCount: number): Float32Array {
  const wanted = (featureCount + 1) * groupCount
  const where = 'learner.gradient_booster.model.weights'
  if (booster.weights.length === 0) return new Float32Array(wanted)
  if (booster.weights.length !== wanted)
    throw new ModelFileError('count-differs', `${booster.weights.length} weights, wanted ${wanted}`, where)
  for (const weight of booster.weights)
    if (!Number.isFinite(weight)) throw new ModelFileError('number-out-of-range', `a weight of ${weight}`, where)
  return booster.weights
}
