"""The many ways to write a name: TotalSegmentator classes, TG-263 names, other languages."""

from __future__ import annotations

import pytest

from TextPromptSegLib.prompting.prompts import parse_prompts
from TextPromptSegLib.prompting.vocabulary import Vocabulary

VOCABULARY = Vocabulary.load()

# Class names of TotalSegmentator, CT and MR, with the canonical name where the words alone differ.
TOTALSEGMENTATOR = """
spleen kidney_right kidney_left gallbladder liver stomach pancreas adrenal_gland_right
adrenal_gland_left lung_upper_lobe_left lung_lower_lobe_left lung_upper_lobe_right
lung_middle_lobe_right lung_lower_lobe_right esophagus trachea thyroid_gland small_bowel duodenum
colon urinary_bladder prostate kidney_cyst_left kidney_cyst_right sacrum vertebrae_S1 vertebrae_L5
vertebrae_L4 vertebrae_L3 vertebrae_L2 vertebrae_L1 vertebrae_T12 vertebrae_T11 vertebrae_T1
vertebrae_C7 vertebrae_C1 heart aorta pulmonary_vein brachiocephalic_trunk subclavian_artery_right
subclavian_artery_left common_carotid_artery_right common_carotid_artery_left
brachiocephalic_vein_left brachiocephalic_vein_right atrial_appendage_left superior_vena_cava
inferior_vena_cava portal_vein_and_splenic_vein iliac_artery_left iliac_artery_right
iliac_vena_left iliac_vena_right humerus_left humerus_right scapula_left scapula_right
clavicula_left clavicula_right femur_left femur_right hip_left hip_right spinal_cord
gluteus_maximus_left gluteus_medius_left gluteus_minimus_left autochthon_left iliopsoas_left brain
skull rib_left_1 rib_right_12 sternum costal_cartilages intervertebral_discs vertebrae fibula
tibia quadriceps_femoris_left thigh_medial_compartment_left thigh_posterior_compartment_left
sartorius_left pulmonary_artery heart_myocardium heart_atrium_left heart_ventricle_left
heart_atrium_right heart_ventricle_right face lung_left lung_right lung_vessels
lung_trachea_bronchia body_trunc body_extremities lung_nodules cerebral_bleed hip_implant
coronary_arteries pleural_effusion pericardial_effusion eye_left eye_lens_left optic_nerve_left
parotid_gland_left submandibular_gland_right nasopharynx oropharynx hypopharynx nasal_cavity_left
auditory_canal_left soft_palate hard_palate larynx_air thyroid_cartilage hyoid cricoid_cartilage
zygomatic_arch_left styloid_process_left carotid_artery_common_left internal_carotid_artery_left
internal_jugular_vein_left sternocleidomastoid_left superior_pharyngeal_constrictor
middle_pharyngeal_constrictor inferior_pharyngeal_constrictor trapezius_left platysma_left
levator_scapulae_left anterior_scalene_left middle_scalene_left posterior_scalene_left
sterno_thyroid_left thyrohyoid_left prevertebral_left liver_vessels liver_tumor
lateral_rectus_muscle_left superior_oblique_muscle_left levator_palpebrae_superioris_left
superior_rectus_muscle_left medial_rectus_muscle_left inferior_oblique_muscle_left
inferior_rectus_muscle_left subcutaneous_fat torso_fat skeletal_muscle intermuscular_fat brainstem
subarachnoid_space venous_sinuses septum_pellucidum cerebellum caudate_nucleus lentiform_nucleus
insular_cortex internal_capsule ventricle central_sulcus frontal_lobe parietal_lobe occipital_lobe
temporal_lobe thalamus patella tarsal metatarsal phalanges_feet ulna radius carpal metacarpal
phalanges_hand vertebrae_body liver_segment_1 liver_segment_8 deltoid supraspinatus infraspinatus
subscapularis coracobrachial pectoralis_minor serratus_anterior teres_major triceps_brachii breast
teeth_lower teeth_upper mandible sinus_maxillary sinus_frontal head abdominal_cavity
thoracic_cavity pericardium mediastinum pectoralis_major_left rectus_abdominis_left
latissimus_dorsi_left external_oblique_left internal_oblique_left erector_spinae_left
transversospinalis_left psoas_major_left quadratus_lumborum_left kidney_cyst body lung_lobes
"""

# Names of the radiotherapy nomenclature TG-263.
TG_263 = """
A_Aorta A_Aorta_Asc A_Carotid_L A_Coronary_L A_LAD A_Celiac A_Mesenteric_S A_Pulmonary
A_Subclavian_L A_Iliac_L A_Brachiocephls Anus Appendix Atrium_L Atrium_R Bag_Bowel BileDuct_Common
Bladder Body Bone_Hyoid Bone_Ilium_L Bone_Mandible Bone_Pelvic Bone_Sacrum Bone_Zygomatic_L
Bone_Temporal_L Bowel Bowel_Large Bowel_Small BrachialPlex_L BrachialPlexus_L Brain Brainstem
Breast_L Breast_R Bronchus Bronchus_Main Canal_Anal Carina Cartlg_Thyroid Cartlg_Cricoid
CaudaEquina Cavity_Nasal Cavity_Oral Cerebellum Cerebrum Chestwall Chestwall_L Chiasm Clavicle_L
Cochlea_L Colon Colon_Ascending Colon_Sigmoid Cornea_L CSF Diaphragm Duodenum Ear_Internal_L
Ear_Middle_L Esophagus Eye_L Eyes Femur_L Femur_Head_L Femur_Head_R Femurs Fibula_L Gallbladder
Glnd_Adrenal_L Glnd_Lacrimal_L Glnd_Submand_L Glnd_Thyroid Glottis GreatVes Hardpalate Heart
Hemisphere_L Hippocampus_L Hippocampi Humerus_L Humerus_Head_L Hypothalamus Ileum Jejunum
Joint_TM_L Kidney_L Kidney_R Kidneys Kidney_Cortex_L Kidney_Pelvis_L Larynx Larynx_SG Lens_L
Lens_R Lips Liver Lobe_Frontal_L Lobe_Temporal_L Lung_L Lung_R Lungs Lung_LUL Lung_RML Mandible
Maxilla Mediastinum Midbrain Musc_Constrict Musc_Masseter_L Musc_Sternocleid_L Nasopharynx
OpticChiasm OpticNrv_L OpticNrv_R OpticTract_L Oropharynx Ovary_L Pancreas Pancreas_Head Parotid_L
Parotid_R Parotids Patella_L PenileBulb Penis Pericardium Perineum Pharynx Pituitary Pons Prostate
Radius_L Rectum Retina_L Rib Rib_L Ribs Sacrum Scalp Scapula_L Scrotum SeminalVes Sinus_Frontal
Sinus_Maxilry Skin Skull Softpalate SpinalCanal SpinalCord Spleen Sternum Stomach Testis_L
Thecalsac Thyroid Tibia_L Tongue Tongue_Base Tongue_Oral Tonsil Tooth Trachea Ulna_L Ureter_L
Urethra Uterus UterusCervix V_Brachioceph_L V_Jugular V_Jugular_Int_L V_Portal V_Pulmonary
V_VenaCava_I V_VenaCava_S Vagina Valve_Aortic Valve_Mitral VB VB_C1 VB_L1 VB_T12 VBs Ventricle_L
Ventricle_R Vitreous_L Vulva Cricoid Glnd_Parathyroid
"""

LANGUAGES = [
    ("hígado, riñón izquierdo y bazo", ["liver", "left kidney", "spleen"]),
    ("rene destro e fegato", ["right kidney", "liver"]),
    ("linker nier en lever", ["left kidney", "liver"]),
    ("linke Niere und Milz", ["left kidney", "spleen"]),
    ("rein gauche, foie et rate", ["left kidney", "liver", "spleen"]),
    ("肝臓と脾臓", ["liver", "spleen"]),
    ("左腎臓、右肺", ["left kidney", "right lung"]),
    ("左肾和脾脏", ["left kidney", "spleen"]),
    ("双肺", ["lungs"]),
    ("lóbulo superior del pulmón derecho", ["right upper lung lobe"]),
    ("vescica urinaria", ["urinary bladder"]),
    ("主动脉", ["aorta"]),
]


def surface_forms() -> int:
    """Return how many different ways to write a name there are, without sides."""
    return len(VOCABULARY._index)


def test_there_are_many_surface_forms_in_eight_languages() -> None:
    assert surface_forms() >= 3000
    for language in ("de", "fr", "es", "it", "nl", "zh", "ja"):
        named = [entry for entry in VOCABULARY if entry.languages.get(language)]
        assert len(named) >= 85, (language, len(named))


@pytest.mark.parametrize("name", [*TOTALSEGMENTATOR.split(), *TG_263.split()])
def test_names_of_other_programs_are_understood(name: str) -> None:
    (prompt,) = parse_prompts(name)
    assert prompt.known and not prompt.thirds
    ending = {"left": "left", "right": "right", "L": "left", "R": "right"}.get(name.split("_")[-1])
    assert ending is None or ending in (prompt.side, prompt.name.split()[0])


@pytest.mark.parametrize(("text", "names"), LANGUAGES)
def test_other_languages(text: str, names: list[str]) -> None:
    prompts = parse_prompts(text)
    assert [prompt.name for prompt in prompts] == names
    assert all(prompt.known for prompt in prompts)


def test_vessels_and_parts_have_names_of_their_own() -> None:
    for text, name in (
        ("middle hepatic vein", "middle hepatic vein"),
        ("left inferior pulmonary vein", "left inferior pulmonary vein"),
        ("third portion of the duodenum", "horizontal part of duodenum"),
        ("peripheral zone of the prostate", "peripheral zone of prostate"),
        ("lower teeth", "lower teeth"),
        ("Ventricle_L", "left ventricle of heart"),
    ):
        (prompt,) = parse_prompts(text)
        assert (prompt.name, prompt.thirds) == (name, ())
