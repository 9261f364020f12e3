/** With fewer rows a metric says more about them than about the feature. */
export const FEWEST_SAMPLES = 50;
