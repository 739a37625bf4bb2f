import { existsSync } from 'node:fs'
import type { ModelUpdate } from '@millwright/core'
import { openTopicReader, type PublishedModel } from '@millwright/engine'

/** Reads what was published in a data folder, oldest first, beside a running plant or without one. */
export function readPublishedModels(dataDirectory: string): PublishedModel[] {
  if (!existsSync(dataDirectory)) return []
  const reader = openTopicReader({ directory: dataDirectory, topic: 'model-updates' })
  try {
    return [...reader].map(({ value, offset, appendTimeMs }) => ({
      ...(JSON.parse(Buffer.from(value).toString()) as ModelUpdate),
      offset,
      publishedAtMs: appendTimeMs,
    }))
  } finally {
    reader.close()
  }
}
