import { assert } from './errors.ts'

/**
 * Every bound of the product in one place, each with its reason. At a bound we push back or refuse; nothing grows.
 * Names end in the unit and in `Max`.
 */

const KiB = 1024
const MiB = 1024 * KiB

/** Longest device id, in UTF-8 bytes. Long enough for a path-like asset name, short enough for a key in every store. */
export const deviceIdBytesMax = 256

/** Longest line that is looked into. A longer one is a dead letter: no reading of a few dozen channels comes near. */
export const lineBytesMax = 1 * MiB

/** How much of a refused record is kept beside its reason, its length and its place. */
export const deadLetterBytesMax = 64 * KiB

/** Deepest nesting of a JSON value in a reading's unknown fields; deeper is refused, so that no stack overflows. */
export const jsonDepthMax = 64

/** Most channels of a plant: one column each in the decoder. */
export const channelsMax = 128

/** Most features of a plant: one column each in the model's input. */
export const featuresMax = 512

/** Most windows of one device that may be open (or open to late readings) at once. 24 h hopping by 1 min is 1,440. */
export const openWindowsPerDeviceMax = 2048

/** Most readings kept raw in one window for quantiles and custom features: a day at 10 Hz is 864,000. */
export const windowReadingsMax = 1_000_000

/** Farthest back that `lag` and `rolling` may look, in windows. */
export const historyWindowsMax = 1024

/** Most events of one type and device that `countOf` keeps. The oldest are dropped and counted. */
export const eventsPerDeviceMax = 1024

/** Windows that an alert policy may look back on: their answers are kept of every device. */
export const alertWindowsMax = 64

/** Entries of an alert policy for device types and devices. */
export const alertPoliciesMax = 1024

/** Accepted readings per device that a redelivery is compared with. */
export const redeliveryReadings = 16

/** Rows of one decoded batch. 4,096 rows of a few columns stay in a second-level cache. */
export const batchRowsMax = 4096

/** Body of one frame of the log; a torn write loses at most this much, unacknowledged. */
export const frameBytesMax = 256 * KiB

/** One segment file of the log; retention removes whole segments. */
export const segmentBytesMax = 64 * MiB

/** Bytes that one partition writes between two syncs: bounds how long one group holds up the next. */
export const groupBytesMax = 8 * MiB

/** How long an append waits for others to share its sync with, in milliseconds, when one was just made. */
export const groupDelayMsMax = 5

/** Longest id of a resumable source, in UTF-8 bytes: it stands in each of its frames. */
export const sourceIdBytesMax = 200

/** Resumable sources whose positions a partition remembers. The one that was silent longest is forgotten, and counted. */
export const sourcesMax = 1024

/** Longest pause between two heartbeats of a partition where nothing arrives, milliseconds: a year of them is 17 MB. */
export const heartbeatIntervalMsMax = 60_000

/** Input that a worker processes before it looks for messages: about 2 ms of work, so that alerts do not wait for it. */
export const sliceBytes = 512 * KiB

/** Output of one topic that may wait for its sync, before a worker starts one on its own. */
export const outputUnsyncedBytesMax = 4 * MiB

/** Deltas of a snapshot before they are folded into a new base: bounds the files that a recovery reads. */
export const snapshotDeltasMax = 32

/** Newest model packages that are kept though nothing refers to them, for a rollback. */
export const modelPackagesKept = 10

/** Partitions of a topic. */
export const partitionsMax = 64

/** Body of one HTTP request after decompression. */
export const requestBytesMax = 32 * MiB

/** Bytes accepted at the door that are not yet on disk; beyond it the door answers 429. */
export const unsyncedBytesMax = 64 * MiB

/** Bytes durable in the log that the operators have not processed yet, before sources are slowed down. */
export const backlogBytesMax = 256 * MiB

/** A model package. 1,000 trees of depth 8 are about 30 MB as JSON. */
export const modelPackageBytesMax = 256 * MiB

/** Trees of one model, after which it is refused. */
export const treesMax = 100_000

/** Nodes of all trees of one model: 16 bytes each when compiled. */
export const treeNodesMax = 8_000_000

/** Classes or targets of one model. */
export const outputGroupsMax = 1024

/** Features of a model that is only read (`score`); a plant's own have `featuresMax`. One column of 512 bytes each. */
export const modelFeaturesMax = 65_536

/** Levels of one tree. XGBoost's default is 6; explaining takes memory with its square. */
export const treeDepthMax = 512

/** Words of 32 categories in all category sets of one model: 16 MiB. */
export const categoryWordsMax = 4_194_304

/** Values nested in a model file. XGBoost's own files have 8 levels. */
export const modelFileDepthMax = 32

/** One string in a model file or a manifest, for example a feature's name, in bytes. */
export const modelStringBytesMax = 64 * KiB

/** Manifest of a model package: 512 features with 64 bins each and 256 golden rows are under 4 MiB. */
export const manifestBytesMax = 8 * MiB

/** Golden rows of a model package. Each is scored again whenever the package is opened. */
export const goldenRowsMax = 256

/** Bins of one histogram of a training baseline. Drift is judged on 10 to 20. */
export const histogramBinsMax = 256

/** Name or version of a model, in UTF-8 bytes: both stand in each alert. */
export const modelNameBytesMax = 128

/** Activations kept for replay decisions in memory, per partition; older ones are folded into one. */
export const activationsMax = 1024

/** Refused lines that one answer lists; the rest are counted. An answer stays smaller than what it answers. */
export const refusalsReportedMax = 1000

/** Bodies of all HTTP requests in flight, after decompression; beyond it the door answers 429. */
export const requestBytesInFlightMax = 128 * MiB

/** Header block of one HTTP request. Readings carry nothing there; browsers need a few KiB for cookies of others. */
export const requestHeaderBytesMax = 16 * KiB

/** From the first to the last byte of one HTTP request: a client that sends more slowly is cut off. */
export const requestMsMax = 60_000

/** HTTP connections at once. A box of this kind serves gateways and a few people, and each costs memory. */
export const connectionsMax = 1024

/** Clients of the alert stream at once. */
export const eventStreamClientsMax = 64

/** Alerts that wait for one client of the stream; a client that is further behind is dropped and may resume. */
export const eventStreamBytesMax = 1 * MiB

/** One record of a CSV file, all its lines. A quote that is never closed costs one line, not the file. */
export const csvRecordBytesMax = 64 * KiB

/** Devices whose predictions the watching consumer remembers; further ones are counted. */
export const monitoredDevicesMax = 1_000_000

/** Versions of models that verdicts are counted for. One a week makes 260 in five years. */
export const monitoredModelsMax = 1024

/** Runs of like predictions that are remembered per device: 32 bytes each. A quiet machine needs a few in weeks. */
export const predictionRunsMax = 128

/** Verdicts of one device that may still be corrected; those on the oldest time give way. */
export const verdictsPerDeviceMax = 64

/** One record of `maintenance-feedback`, its note included. */
export const feedbackBytesMax = 64 * KiB

/** One request of verdicts: some dozens of the largest, thousands of ordinary ones. */
export const feedbackRequestBytesMax = 4 * MiB

/** Id of a case, in UTF-8 bytes: a device's id, `@`, and an epoch time in milliseconds of at most 14 digits. */
export const caseIdBytesMax = deviceIdBytesMax + 16

/** Id of a verdict, in UTF-8 bytes: a case's, or what a maintenance system calls its order. */
export const verdictIdBytesMax = 512

/** Id of a command to a case, in UTF-8 bytes: a UUID, or what another system calls it. */
export const caseCommandIdBytesMax = 128

/** Name of a person, in UTF-8 bytes. */
export const personBytesMax = 128

/** A comment on a case, or what was found, in UTF-8 bytes: a page. */
export const caseNoteBytesMax = 4096

/** A link of a case: an address, or the number of an order. In UTF-8 bytes. */
export const caseLinkBytesMax = 1024

/** One record of `case-commands`: two notes in the longest escapes of JSON, and the ids. */
export const caseCommandBytesMax = 64 * KiB

/** Links of one case. */
export const caseLinksMax = 16

/** Windows that a case keeps as evidence: four hours of five minutes each. Each message on `cases` has them. */
export const caseEvidenceMax = 48

/** Ids of the newest commands that a case remembers, so that one that is sent again changes nothing. */
export const caseCommandsRememberedMax = 32

/** Resolved cases of one device that can still be reopened; the one resolved first gives way. */
export const resolvedCasesPerDeviceMax = 8

/** Devices that have a case or an alert; alerts of further ones open none, and are counted. */
export const caseDevicesMax = 1_000_000

/** One batch of records to Kafka: with a record's overhead it stays below the `max.message.bytes` of the plant's topics. */
export const kafkaBatchBytesMax = 1 * MiB

/** How long a batch is offered to Kafka before its sender is told that it is away: a killed broker's partitions move in 10–20 s. */
export const kafkaDeliveryMsMax = 45_000

/** How long a transaction of `ingest` may be open, and so hold back readers of committed records when it is orphaned. */
export const kafkaTransactionMsMax = 60_000

/** Lines of a file that share one transaction: large enough that committing costs little, small enough to hold no reader back. */
export const kafkaTransactionBytesMax = 8 * MiB

/** How long a gateway waits for the one that writes cases before it writes them itself: longer than brokers take to move a killed one's partitions. */
export const kafkaCasesPatienceMs = 20_000

/** What one partition's reader fetches at once. A record is always given whole, however large. */
export const kafkaFetchBytesMax = 1 * MiB

/** Lines of one plant, and machines of one line: an event of a line is one append, a record for each. */
export const linesMax = 1000
export const lineDevicesMax = 1000

/** Channels of notifications of one plant: each reads the topic by itself. */
export const notifyChannelsMax = 32

/** Notifications that a channel has in memory, read and not yet taken by its peer; the rest wait on the topic. */
export const notificationsQueuedMax = 256

/** Notifications of one channel that its peer refused for good and that are kept to be sent again; at the bound the channel waits for a person. */
export const notificationsParkedMax = 1000

/** Notifications in one digest by mail: what does not fit one mail comes with the next. */
export const notificationsPerDigestMax = 100

/** Alerts that one channel keeps standing at an Alertmanager; further ones are parked. */
export const standingAlertsMax = 10_000

/** What is read of a peer's answer: enough for its reason. */
export const notifyAnswerBytesMax = 64 * KiB

/** One attempt to deliver, from the first byte of the connection to the last of the answer. */
export const notifyAttemptMsMax = 15_000

/** Longest pause between two attempts that the channel makes of itself, and longest that a peer's `Retry-After` is honoured. */
export const notifyPauseMsMax = 60_000
export const notifyRetryAfterMsMax = 3_600_000

assert(feedbackBytesMax <= frameBytesMax, 'a verdict must fit one frame')
assert(caseIdBytesMax <= verdictIdBytesMax, 'the id of a case is that of its verdict')
assert(caseCommandBytesMax <= frameBytesMax, 'a command to a case must fit one frame')
assert(lineBytesMax <= requestBytesMax, 'a whole line must fit one request')
assert(deadLetterBytesMax <= frameBytesMax, 'a dead letter must fit one frame')
assert(frameBytesMax <= segmentBytesMax, 'a frame must fit one segment')
assert(frameBytesMax <= groupBytesMax && groupBytesMax <= segmentBytesMax, 'a group must fit one segment')
assert(sourcesMax * (sourceIdBytesMax + 48) <= frameBytesMax, 'the head of a segment must fit one frame')
assert(unsyncedBytesMax <= backlogBytesMax, 'what is being synced is part of the backlog')
assert(requestBytesMax <= requestBytesInFlightMax, 'the largest request must fit among those in flight')
assert(csvRecordBytesMax <= lineBytesMax, 'a CSV record must fit one line')
assert(featuresMax <= modelFeaturesMax, 'what a plant computes, a model can take')
assert(manifestBytesMax < modelPackageBytesMax, 'a package has room for a model beside its manifest')
assert(lineBytesMax <= kafkaBatchBytesMax, 'a whole line must fit one batch')
assert(kafkaDeliveryMsMax < kafkaTransactionMsMax, 'a batch is given up before its transaction is')
