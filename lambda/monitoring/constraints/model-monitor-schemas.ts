import * as z from 'zod';

/** Files of SageMaker Model Monitor's data quality monitor, as its documentation states them; fields that it may add are passed over. */

const switched = z.enum(['Enabled', 'Disabled']);
const count = z.number().nonnegative();

const configuration = z.looseObject({
  evaluate_constraints: switched.optional(),
  emit_metrics: switched.optional(),
  datatype_check_threshold: z.number().min(0).max(1).optional(),
  domain_content_threshold: z.number().min(0).max(1).optional(),
  distribution_constraints: z
    .looseObject({
      perform_comparison: switched.optional(),
      comparison_threshold: z.number().optional(),
      comparison_method: z.string().optional(),
      categorical_comparison_threshold: z.number().optional(),
      categorical_drift_method: z.string().optional(),
    })
    .optional(),
});

const inferredType = z.enum(['Integral', 'Fractional', 'String', 'Unknown']);

export const ConstraintsSchema = z.looseObject({
  version: z.number().optional(),
  features: z.array(
    z.looseObject({
      name: z.string().min(1),
      inferred_type: inferredType,
      completeness: z.number().min(0).max(1).optional(),
      num_constraints: z.looseObject({ is_non_negative: z.boolean().optional() }).optional(),
      string_constraints: z.looseObject({ domains: z.array(z.string()).optional() }).optional(),
      monitoringConfigOverrides: configuration.optional(),
      /** So written in files of older containers. */
      monitoring_config_overrides: configuration.optional(),
    }),
  ),
  monitoring_config: configuration.optional(),
});

const common = z.looseObject({ num_present: count, num_missing: count });

const kll = z.looseObject({
  buckets: z.array(z.looseObject({ lower_bound: z.number(), upper_bound: z.number(), count })),
  sketch: z.looseObject({ parameters: z.looseObject({ c: z.number(), k: z.number() }), data: z.array(z.array(z.number())) }).optional(),
});

export const StatisticsSchema = z.looseObject({
  version: z.number().optional(),
  dataset: z.looseObject({ item_count: count }),
  features: z.array(
    z.looseObject({
      name: z.string().min(1),
      inferred_type: inferredType,
      numerical_statistics: z
        .looseObject({
          common,
          mean: z.number().optional(),
          sum: z.number().optional(),
          std_dev: z.number().optional(),
          min: z.number().optional(),
          max: z.number().optional(),
          distribution: z.looseObject({ kll: kll.optional() }).optional(),
        })
        .optional(),
      string_statistics: z
        .looseObject({
          common,
          distinct_count: count.optional(),
          distribution: z
            .looseObject({ categorical: z.looseObject({ buckets: z.array(z.looseObject({ value: z.string(), count })) }).optional() })
            .optional(),
        })
        .optional(),
    }),
  ),
});

export const ViolationsSchema = z.looseObject({
  violations: z.array(z.looseObject({ feature_name: z.string(), constraint_check_type: z.string(), description: z.string() })),
});

export type ModelMonitorConstraints = z.infer<typeof ConstraintsSchema>;
export type ModelMonitorStatistics = z.infer<typeof StatisticsSchema>;
export type ModelMonitorViolations = z.infer<typeof ViolationsSchema>;
export type InferredType = z.infer<typeof inferredType>;

/** A document in one of the formats; one that is none is refused with the place of the first problem. */
export function readDocument<T>(schema: z.ZodType<T>, value: unknown, where: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [{ path, message }] = parsed.error.issues;
  throw new Error(`${where} is no file of Model Monitor: ${path.join('.') || 'the document'}: ${message}`);
}
