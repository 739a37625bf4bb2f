import { createHash } from 'node:crypto'
import { type EmailChannel, limits } from '@millwright/core'
import { createTransport } from 'nodemailer'
import type { DeliveryPort } from './delivery-port.ts'
import { DeliveryFailedError, DeliveryRefusedError } from './errors.ts'
import type { Notification } from './notification.ts'
import { notificationText, summaryOf } from './notification-text.ts'

/** Of one step of the conversation with a server. */
const stepMsMax = 10_000

/**
 * Sends mail, plain text. One change is a mail of its own, at once; what comes within `atMostEvery` after a mail is one digest, so
 * that a storm is two mails and not a thousand. The Message-ID is made of the ids in it: a copy is the same mail to whoever looks.
 */
export function openMail(
  channel: EmailChannel,
  use: { readonly plant: string; readonly password: string; readonly ca: string | null },
): DeliveryPort {
  const { host, port, security, login, from, to, atMostEveryMs } = channel
  const transport = createTransport({
    host,
    port,
    secure: security === 'tls',
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'none',
    connectionTimeout: stepMsMax,
    greetingTimeout: stepMsMax,
    socketTimeout: stepMsMax,
    // Nothing in a message may make the client read a file or an address.
    disableFileAccess: true,
    disableUrlAccess: true,
    ...(use.ca === null ? {} : { tls: { ca: use.ca } }),
    ...(login === null ? {} : { auth: { user: login.user, pass: use.password } }),
  })
  return {
    batchMax: limits.notificationsPerDigestMax,
    paceMs: atMostEveryMs,
    target: `${to.join(', ')} by ${host}:${port}`,
    async send(batch, signal) {
      const sending = transport
        .sendMail({ from, to: [...to], ...mailOf(use.plant, batch) })
        .catch((error: unknown) => Promise.reject(mailError(host, error as MailFailure)))
      const { rejected } = await endedBy(signal, host, sending)
      if (rejected.length > 0)
        throw new DeliveryRefusedError(`${host} took it for some, and not for ${rejected.map(String).join(', ')}`)
    },
    async close() {
      transport.close()
    },
  }
}

/** Subject, text and headers of one message. */
export function mailOf(plant: string, batch: readonly Notification[]) {
  const [first] = batch
  const machines = new Set(batch.map(({ deviceId }) => deviceId)).size
  const subject =
    first !== undefined && batch.length === 1
      ? `[${plant}] ${summaryOf(first)}`
      : `[${plant}] ${batch.length} changes on ${machines === 1 ? 'one machine' : `${machines} machines`}`
  const caseIds = new Set(batch.map(({ caseId }) => caseId))
  return {
    subject,
    text: `${batch.map(notificationText).join('\n\n')}\n`,
    messageId: `<${nameOf(batch.map(({ id }) => id))}@${plant}.millwright>`,
    // Mail programs show the changes of one case together.
    ...(caseIds.size === 1 ? { references: `<${nameOf([...caseIds])}@${plant}.millwright>` } : {}),
    headers: { 'Auto-Submitted': 'auto-generated' },
  }
}

function nameOf(ids: readonly string[]): string {
  return createHash('sha256').update(ids.join('\n')).digest('hex').slice(0, 40)
}

type MailFailure = Error & { readonly code?: string; readonly responseCode?: number; readonly command?: string }

/**
 * A permanent answer (5xx) to sender, recipients or message is for good; one to the login is not: the password may be put right, and
 * then nothing should have been parked. Source: RFC 5321, section 4.2.1.
 */
function mailError(host: string, error: MailFailure): Error {
  const { code, responseCode = 0, message } = error
  const text = `${host}: ${message}`
  const isMessage = code === 'EENVELOPE' || code === 'EMESSAGE'
  return isMessage && responseCode >= 500
    ? new DeliveryRefusedError(text, { cause: error })
    : new DeliveryFailedError(text, { cause: error })
}

/** The client knows no signals: its conversation ends by its own time limits, and nobody waits for it. */
function endedBy<T>(signal: AbortSignal, host: string, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const give = (): void => reject(new DeliveryFailedError(`${host}: no answer in time`))
    signal.addEventListener('abort', give, { once: true })
    if (signal.aborted) give()
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', give))
  })
}
