import { definePlant, mean, std, tumbling } from '@millwright/plant'

/** The reference pipeline: three channels, three features in five-minute windows, one model, one threshold. */
export default definePlant({
  name: 'predictive-maintenance',
  channels: {
    temperature: { unit: '°C', min: 0, max: 100 },
    vibration: { unit: 'mm/s', min: 0 },
    pressure: { unit: 'bar', min: 0 },
  },
  // A sensor that says less than freezing or more than boiling is broken: what else it says at that moment is not used.
  cleaning: [{ channel: 'temperature', min: 0, max: 100 }],
  window: tumbling('5 min'),
  // In the order in which the model was trained.
  features: { tempStd: std('temperature'), vibration: mean('vibration'), pressure: mean('pressure') },
  model: 'pump-leak',
  // Each window by itself. For fewer alerts, each worth the walk, say more (docs/guide/alerts.md), for example:
  //   alert: { threshold: 0.8, clearThreshold: 0.6, windows: { high: 2, of: 3 }, minimumDuration: '30 min' },
  alert: { threshold: 0.8 },
  // No heartbeat: its beats would soon be all that the end of each topic shows of these recorded hours. A plant that runs wants one:
  //   heartbeat: '5 s',
})
