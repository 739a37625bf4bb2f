import { definePlant, mean, std, tumbling } from '@millwright/plant'

/** The job that every peer does: docs of the figures are in bench/README.md. */
export default definePlant({
  name: 'reference-plant',
  channels: {
    temperature: { unit: '°C' },
    vibration: { unit: 'mm/s' },
    pressure: { unit: 'bar' },
  },
  cleaning: [{ channel: 'temperature', min: 0, max: 100 }],
  window: tumbling('5 min'),
  features: { tempStd: std('temperature'), vibration: mean('vibration'), pressure: mean('pressure') },
  model: 'reference',
  alert: { threshold: 0.8 },
  // Room for the largest fleet that is measured.
  time: { devicesMax: 2_000_000 },
})
